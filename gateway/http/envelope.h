// Messages of a stream in one body: a byte of flags, four of length (big-endian), the message.
// https://connectrpc.com/docs/protocol#streaming-rpcs
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rawgate::gateway {

inline constexpr uint8_t kEnvelopeCompressed = 1;
inline constexpr uint8_t kEnvelopeEndStream = 2;

std::string Enveloped(uint8_t flags, absl::string_view message);

// Of one request. Who has more to say says it in several, or over gRPC.
inline constexpr size_t kEnvelopesMax = 1024;

// The messages of a request's body, which live as long as it. Errors: INVALID_ARGUMENT
// (BAD_ENVELOPE), UNIMPLEMENTED (COMPRESSED), RESOURCE_EXHAUSTED (TOO_MANY_MESSAGES).
absl::StatusOr<std::vector<absl::string_view>> OpenEnvelopes(absl::string_view body);

}  // namespace rawgate::gateway
