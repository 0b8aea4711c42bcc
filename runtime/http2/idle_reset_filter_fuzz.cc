// What a client sends on a connection, cut anywhere.
#include <string>

#include "runtime/http2/idle_reset_filter.h"
#include "runtime/testing/fuzz_input.h"

namespace rawgate::http2 {
namespace {

using ::rawgate::testing::Expect;
using ::rawgate::testing::FuzzInput;

constexpr size_t kPrefaceBytes = 24;
constexpr size_t kHeadBytes = 9;

struct Outcome {
  std::string passed;
  size_t idle = 0;

  bool operator==(const Outcome&) const = default;
};

uint32_t Number(absl::string_view bytes) {
  uint32_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<uint8_t>(byte);
  return number;
}

// What a filter should make of it, in the plainest way: frame by frame.
Outcome Expected(absl::string_view bytes) {
  Outcome expected;
  const absl::string_view preface = bytes.substr(0, kPrefaceBytes);
  expected.passed = std::string(preface);
  bytes.remove_prefix(preface.size());
  uint32_t begun = 0;
  while (bytes.size() >= kHeadBytes) {
    const uint32_t size = Number(bytes.substr(0, 3));
    const auto type = static_cast<uint8_t>(bytes[3]);
    const uint32_t stream = Number(bytes.substr(5, 4)) & 0x7fffffff;
    if (type == 1 && stream > begun) begun = stream;
    const bool dropped = type == 3 && size == 4 && stream % 2 == 1 && stream > begun;
    const absl::string_view frame = bytes.substr(0, kHeadBytes + size);
    if (dropped || type > 9) ++expected.idle;
    if (!dropped) expected.passed.append(frame.data(), frame.size());
    bytes.remove_prefix(frame.size());
  }
  return expected;
}

Outcome Filtered(absl::string_view bytes, size_t first, size_t second) {
  IdleResetFilter filter;
  Outcome outcome;
  bool even = true;
  while (!bytes.empty()) {
    const absl::string_view piece = bytes.substr(0, even ? first : second);
    outcome.idle += filter.Take(piece, [&](absl::string_view rest) {
      Expect(!rest.empty(), "what is passed on is something");
      outcome.passed.append(rest.data(), rest.size());
    });
    bytes.remove_prefix(piece.size());
    even = !even;
  }
  return outcome;
}

}  // namespace
}  // namespace rawgate::http2

// How long the pieces are, in turn; then the bytes.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rawgate::http2;  // NOLINT: what is under test
  FuzzInput input(data, size);
  const size_t first = input.TakeNumber(1, 256);
  const size_t second = input.TakeNumber(1, 256);
  const absl::string_view bytes = input.TakeRest();

  const Outcome expected = Expected(bytes);
  Expect(Filtered(bytes, size + 1, size + 1) == expected,
         "resets of streams that never began are taken out, and nothing else");
  Expect(Filtered(bytes, first, second) == expected, "how bytes are cut makes no difference");
  return 0;
}
