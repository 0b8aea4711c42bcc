#include "gateway/http/envelope.h"

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::gateway {
namespace {

constexpr size_t kPrefixBytes = 5;

absl::Status BadEnvelope(absl::string_view why) {
  return Error(absl::StatusCode::kInvalidArgument, "BAD_ENVELOPE", why);
}

}  // namespace

std::string Enveloped(uint8_t flags, absl::string_view message) {
  const auto size = static_cast<uint32_t>(message.size());
  std::string bytes;
  bytes.reserve(kPrefixBytes + message.size());
  bytes.push_back(static_cast<char>(flags));
  for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<char>(size >> shift));
  bytes.append(message.data(), message.size());
  return bytes;
}

absl::StatusOr<std::vector<absl::string_view>> OpenEnvelopes(absl::string_view body) {
  std::vector<absl::string_view> messages;
  while (!body.empty()) {
    if (messages.size() == kEnvelopesMax) {
      return Error(absl::StatusCode::kResourceExhausted, "TOO_MANY_MESSAGES",
                   absl::StrCat("a request has at most ", kEnvelopesMax, " messages"));
    }
    if (body.size() < kPrefixBytes) return BadEnvelope("the body ends within an envelope");
    const auto flags = static_cast<uint8_t>(body[0]);
    uint32_t size = 0;
    for (size_t i = 1; i < kPrefixBytes; ++i) size = size << 8 | static_cast<uint8_t>(body[i]);
    if (flags == kEnvelopeCompressed) {
      return Error(absl::StatusCode::kUnimplemented, "COMPRESSED",
                   "compressed messages are not taken; send them as they are");
    }
    if (flags != 0) {
      return BadEnvelope(absl::StrCat("an envelope of a request has the flags ", flags));
    }
    body.remove_prefix(kPrefixBytes);
    if (body.size() < size) return BadEnvelope("the body ends within a message");
    messages.push_back(body.substr(0, size));
    body.remove_prefix(size);
  }
  return messages;
}

}  // namespace rawgate::gateway
