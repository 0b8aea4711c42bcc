// Asks a process for its health (grpc.health.v1), as its neighbours and container engines do.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "grpcpp/security/credentials.h"

namespace rawgate::rpc {

// OK when the process at `target` as a whole is SERVING. Errors: UNAVAILABLE (NOT_SERVING), and
// those of the call, which takes at most `timeout`.
absl::Status CheckHealth(const std::string& target,
                         const std::shared_ptr<grpc::ChannelCredentials>& credentials,
                         absl::Duration timeout);

}  // namespace rawgate::rpc
