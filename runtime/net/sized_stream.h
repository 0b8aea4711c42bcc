// Sized messages (framing.h) out of a connection.
#pragma once

#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "absl/status/statusor.h"
#include "runtime/net/connection.h"

namespace rawgate::net {

// The next message of 1 to `size_max` bytes, out of `ahead` and then of the connection; what was
// read beyond it is in `ahead` afterwards, at most 16 KiB. Nullopt: the peer has ended between two
// messages, or is gone. Errors: INVALID_ARGUMENT (BAD_LENGTH; HEADER_INCOMPLETE when the stream
// ended in the middle of a message), after which the connection is out of step.
asio::awaitable<std::optional<absl::StatusOr<std::string>>> ReadSizedMessage(Connection& connection,
                                                                             std::string& ahead,
                                                                             int32_t size_max);

}  // namespace rawgate::net
