// The one mapping between absl::Status and grpc::Status, both ways. Reason, retry delay and field
// of runtime/base/status.h travel as google.rpc.ErrorInfo (domain "rawgate"), RetryInfo and
// BadRequest in the "grpc-status-details-bin" trailer.
#pragma once

#include <cstddef>

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace rawgate::rpc {

// Bytes of a message that are sent. It travels three times, once percent-encoded, in trailers, and
// gRPC drops the whole connection, with every other call on it, for trailers that are too large. So
// a message may quote what a client sent without counting it first.
inline constexpr size_t kStatusMessageMax = 512;

// The message is cut to kStatusMessageMax, between characters; what is no UTF-8 or a control
// character becomes '?'.
grpc::Status ToGrpc(const absl::Status& status);

// A status without our details (made by gRPC itself, or by a foreign server) keeps its code and
// message; its reason is then the code's name.
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace rawgate::rpc
