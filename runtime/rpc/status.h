// The one mapping between absl::Status and grpc::Status, both ways. Reason, retry delay and field
// of runtime/base/status.h travel as google.rpc.ErrorInfo (domain "rawgate"), RetryInfo and
// BadRequest in the "grpc-status-details-bin" trailer.
#pragma once

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace rawgate::rpc {

grpc::Status ToGrpc(const absl::Status& status);

// A status without our details (made by gRPC itself, or by a foreign server) keeps its code and
// message; its reason is then the code's name.
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace rawgate::rpc
