// Messages of any bytes, cut to what a datagram may hold.
#include "runtime/testing/fuzz_input.h"
#include "services/chat/chat_text.h"

// A limit, then the message.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using rawgate::chat::IsValidUtf8;
  using rawgate::testing::Expect;
  rawgate::testing::FuzzInput input(data, size);
  const size_t limit = input.TakeNumber(0, 255);
  const absl::string_view text = input.TakeRest();
  const absl::string_view prefix = rawgate::chat::Utf8Prefix(text, limit);
  Expect(prefix.data() == text.data() && prefix.size() <= limit,
         "a prefix is a beginning that fits");
  Expect(text.size() <= limit ? prefix == text : prefix.size() + 3 >= limit,
         "no more is cut than there has to be");
  if (IsValidUtf8(text)) Expect(IsValidUtf8(prefix), "a prefix of UTF-8 is UTF-8");
  return 0;
}
