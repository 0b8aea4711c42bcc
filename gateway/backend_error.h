// What clients are told of calls that a backend did not answer.
#pragma once

#include <string>

#include "grpcpp/support/status.h"

namespace rawgate::gateway {

// What a client is told when a call to `backend` ended with `status`. A backend's own errors carry
// details and pass unchanged; those that were made up on the way get ours, a connection that failed
// UNAVAILABLE (BACKEND_UNREACHABLE).
grpc::Status StatusForClient(const grpc::Status& status, const std::string& backend);

}  // namespace rawgate::gateway
