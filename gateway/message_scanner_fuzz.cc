// Streams of gRPC messages, cut anywhere.
#include "gateway/message_scanner.h"
#include "runtime/testing/fuzz_input.h"

namespace rawgate::gateway {
namespace {

using ::rawgate::testing::Expect;
using ::rawgate::testing::FuzzInput;
using Result = MessageScanner::Result;

constexpr size_t kPrefixBytes = 5;

struct Outcome {
  Result result = Result::kOk;
  uint64_t begun = 0;
  uint64_t whole = 0;
  bool at_boundary = true;

  bool operator==(const Outcome&) const = default;
};

Outcome Of(const MessageScanner& scanner, Result result) {
  // Behind an error it means nothing.
  return {result, scanner.begun(), scanner.whole(), result == Result::kOk && scanner.at_boundary()};
}

// What a scanner should make of it, in the plainest way.
Outcome Expected(absl::string_view bytes, size_t most) {
  Outcome expected;
  while (bytes.size() >= kPrefixBytes) {
    ++expected.begun;
    size_t size = 0;
    for (size_t i = 1; i < kPrefixBytes; ++i) size = size * 256 + static_cast<uint8_t>(bytes[i]);
    if (bytes[0] != 0) expected.result = Result::kCompressed;
    if (bytes[0] == 0 && size > most) expected.result = Result::kTooLarge;
    if (expected.result != Result::kOk) break;
    bytes.remove_prefix(kPrefixBytes);
    if (bytes.size() < size) break;
    ++expected.whole;
    bytes.remove_prefix(size);
  }
  expected.at_boundary =
      expected.result == Result::kOk && expected.begun == expected.whole && bytes.empty();
  return expected;
}

}  // namespace
}  // namespace rawgate::gateway

// The largest message, and how long the pieces are, in turn; then the stream.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rawgate::gateway;  // NOLINT: what is under test
  FuzzInput input(data, size);
  const size_t most = input.TakeNumber(0, 0xffffffff);
  const size_t pieces[] = {input.TakeNumber(1, 256), input.TakeNumber(1, 256)};
  const absl::string_view bytes = input.TakeRest();

  const Outcome expected = Expected(bytes, most);
  MessageScanner whole(most);
  Expect(Of(whole, whole.Take(bytes)) == expected, "messages are counted as they are");
  MessageScanner cut(most);
  Result result = Result::kOk;
  for (size_t at = 0, i = 0; at < bytes.size(); at += pieces[i++ % 2])
    result = cut.Take(bytes.substr(at, pieces[i % 2]));
  Expect(Of(cut, result) == expected, "how a stream is cut makes no difference");
  return 0;
}
