#include "runtime/testing/protocol_examples.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace rawgate::testing {
namespace {

[[noreturn]] void Die(absl::string_view path, absl::string_view what) {
  std::fprintf(stderr, "%s: %s\n", std::string(path).c_str(), std::string(what).c_str());
  std::exit(1);
}

std::string DecodeHex(absl::string_view path, absl::string_view line, absl::string_view text) {
  std::string bytes;
  for (absl::string_view pair : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    if (pair.size() != 2 || !absl::ascii_isxdigit(static_cast<unsigned char>(pair[0])) ||
        !absl::ascii_isxdigit(static_cast<unsigned char>(pair[1]))) {
      Die(path, absl::StrCat("not a line of hex bytes: ", line));
    }
    bytes += absl::HexStringToBytes(pair);
  }
  return bytes;
}

}  // namespace

std::vector<Example> ReadExamples(absl::string_view path) {
  std::ifstream file(absl::StrCat(RAWGATE_SOURCE_DIR, "/", path));
  if (!file) Die(path, "cannot be read");
  std::vector<Example> examples;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    absl::string_view rest = line;
    if (!inside) {
      inside = absl::ConsumePrefix(&rest, "```hex");
      if (inside) examples.push_back({std::string(absl::StripAsciiWhitespace(rest)), {}});
      continue;
    }
    if (absl::StartsWith(line, "```")) {
      inside = false;
      continue;
    }
    const absl::string_view hex = rest.substr(0, rest.find('|'));
    auto& messages = examples.back().messages;
    if (absl::StartsWith(hex, "C:") || absl::StartsWith(hex, "S:")) {
      messages.push_back({hex[0], DecodeHex(path, line, hex.substr(2))});
    } else if (absl::StartsWith(hex, "  ") && !messages.empty()) {
      messages.back().bytes += DecodeHex(path, line, hex);
    } else if (!absl::StripAsciiWhitespace(line).empty()) {
      Die(path, absl::StrCat("neither C:, S: nor a continuation: ", line));
    }
  }
  return examples;
}

}  // namespace rawgate::testing
