// Stands in for libFuzzer where a fuzz target is a test of the ordinary build: runs it over every
// file of a folder, and over changed copies of them, which are the same in every run.
//
//   <stem>_fuzz FOLDER
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr int kChangedCopies = 5000;

std::vector<std::string> ReadFolder(const char* folder) {
  std::set<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.insert(entry.path());
  std::vector<std::string> inputs;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

// One of `inputs`, or a piece of it, perhaps with a piece of another behind it, some bytes changed.
std::string Change(const std::vector<std::string>& inputs, std::minstd_rand& random) {
  const std::string& head = inputs[random() % inputs.size()];
  const std::string& tail = inputs[random() % inputs.size()];
  std::string input = random() % 2 == 0 ? head : head.substr(0, random() % (head.size() + 1));
  if (random() % 2 == 0) input += tail.substr(random() % (tail.size() + 1));
  for (auto changes = input.empty() ? 0 : random() % 4; changes > 0; --changes) {
    char& byte = input[random() % input.size()];
    byte = static_cast<char>(random() % 256);
  }
  return input;
}

void Run(const std::string& input) {
  // A copy of exactly that size, so that AddressSanitizer sees a byte read too many.
  const std::vector<uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::vector<std::string> inputs = ReadFolder(argv[1]);
  if (inputs.empty()) throw std::invalid_argument("a folder without inputs");
  for (const std::string& input : inputs) Run(input);
  std::minstd_rand random(1);
  for (int i = 0; i < kChangedCopies; ++i) Run(Change(inputs, random));
}
