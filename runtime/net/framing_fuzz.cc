// Streams of "i32 size, then that many bytes", cut anywhere.
#include <string>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/net/framing.h"
#include "runtime/testing/fuzz_input.h"

namespace rawgate::net {
namespace {

using ::rawgate::testing::Expect;
using ::rawgate::testing::FuzzInput;

struct Outcome {
  std::vector<std::string> messages;
  bool refused = false;
  // The stream ended within a message.
  bool in_progress = false;

  bool operator==(const Outcome&) const = default;
};

// One stream through one reader.
class Stream {
 public:
  Stream(int32_t size_min, int32_t size_max)
      : min_(size_min), max_(size_max), reader_(size_min, size_max) {}

  void Feed(absl::string_view piece) {
    while (!outcome_.refused) {
      const absl::StatusOr<bool> complete = reader_.Consume(&piece);
      if (!complete.ok()) {
        Expect(ReasonOf(complete.status()) == "BAD_LENGTH", "only a size can be wrong");
        outcome_.refused = true;
        return;
      }
      if (!*complete) break;
      outcome_.messages.push_back(reader_.Take());
      const auto size = static_cast<int64_t>(outcome_.messages.back().size());
      Expect(min_ <= size && size <= max_, "a message has a size that is allowed");
      Expect(!reader_.in_progress(), "what was taken is no longer in progress");
    }
    Expect(outcome_.refused || piece.empty(), "more is asked for only when all is used up");
  }

  Outcome End() {
    outcome_.in_progress = reader_.in_progress();
    return outcome_;
  }

 private:
  const int64_t min_;
  const int64_t max_;
  SizedMessageReader reader_;
  Outcome outcome_;
};

// What a reader should make of it, in the plainest way.
Outcome Expected(absl::string_view bytes, int32_t size_min, int32_t size_max) {
  Outcome expected;
  while (bytes.size() >= kI32Size) {
    const int32_t size = DecodeI32(bytes.data());
    const auto prefix = EncodeI32(size);
    Expect(absl::string_view(prefix.data(), prefix.size()) == bytes.substr(0, kI32Size),
           "a size is written as it was read");
    if (size < size_min || size > size_max) {
      expected.refused = true;
      break;
    }
    if (bytes.size() - kI32Size < static_cast<size_t>(size)) break;
    expected.messages.emplace_back(bytes.substr(kI32Size, static_cast<size_t>(size)));
    bytes.remove_prefix(kI32Size + static_cast<size_t>(size));
  }
  expected.in_progress = !bytes.empty();
  return expected;
}

}  // namespace
}  // namespace rawgate::net

// The sizes that are allowed, and how long the pieces are, in turn; then the stream.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rawgate::net;  // NOLINT: what is under test
  FuzzInput input(data, size);
  const auto size_min = static_cast<int32_t>(input.TakeNumber(0, 1));
  const auto size_max = static_cast<int32_t>(input.TakeNumber(1, INT32_MAX));
  const size_t pieces[] = {input.TakeNumber(1, 256), input.TakeNumber(1, 256)};
  const absl::string_view bytes = input.TakeRest();

  const Outcome expected = Expected(bytes, size_min, size_max);
  Stream whole(size_min, size_max);
  whole.Feed(bytes);
  Expect(whole.End() == expected, "a stream is read as it was written");
  Stream cut(size_min, size_max);
  for (size_t at = 0, i = 0; at < bytes.size(); at += pieces[i++ % 2]) {
    cut.Feed(bytes.substr(at, pieces[i % 2]));
  }
  Expect(cut.End() == expected, "how a stream is cut makes no difference");
  return 0;
}
