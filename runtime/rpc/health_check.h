// Asks a process for its health (grpc.health.v1), as its neighbours and container engines do.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "grpcpp/security/credentials.h"

namespace rawgate::rpc {

// OK when the process at `target` as a whole is SERVING. Errors: UNAVAILABLE (NOT_SERVING), and
// those of the call, which takes at most `timeout`. Under TLS the server is called `host` unless
// that is empty.
absl::Status CheckHealth(const std::string& target,
                         const std::shared_ptr<grpc::ChannelCredentials>& credentials,
                         const std::string& host, absl::Duration timeout);

}  // namespace rawgate::rpc
