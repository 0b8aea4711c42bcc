// Unary RPCs whose work is done on the service's loop thread.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "grpcpp/server_context.h"
#include "runtime/rpc/admission.h"

namespace rawgate::rpc {

// Ends a call. Called once, on the loop thread, within the work or later.
using UnaryDone = std::function<void(const absl::Status&)>;

// Admits a call of `method`, or refuses it, and runs `work` on the loop thread. Request, response
// and the Call live until `done` is called.
grpc::ServerUnaryReactor* RunOnLoop(Admission& admission, grpc::CallbackServerContext* context,
                                    absl::string_view method,
                                    std::function<void(Call&, UnaryDone)> work);

}  // namespace rawgate::rpc
