// grpc.reflection, both versions, over the program's own descriptors: gRPC's plugin lists only what
// is registered with the server, and most of what this gateway serves is forwarded.
#pragma once

#include <memory>
#include <vector>

#include "grpcpp/impl/service_type.h"

namespace rawgate::gateway {

// One servicer for each version of the protocol; register both. Thread-safe. Unknown files, symbols
// and extensions are answered by an ErrorResponse with NOT_FOUND, as the protocol has it; the
// stream goes on.
std::vector<std::unique_ptr<grpc::Service>> MakeReflectionServicers();

}  // namespace rawgate::gateway
