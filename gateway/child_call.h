// A call that the gateway makes of a backend on behalf of a client's call, typed: what travels with
// it, and how long it may take. The forwarder does the same for calls that it does not decode.
#pragma once

#include <memory>

#include "absl/time/time.h"
#include "grpcpp/client_context.h"
#include "grpcpp/server_context.h"

namespace rawgate::gateway {

// A child of `client`: cancelled with it, with its deadline or an earlier one `within` from now,
// and with its metadata. `client` stays until the call has ended.
std::unique_ptr<grpc::ClientContext> MakeChildContext(const grpc::CallbackServerContext& client,
                                                      absl::Duration within);

}  // namespace rawgate::gateway
