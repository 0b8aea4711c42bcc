// Services with counters of this moment, asked of the backends themselves.
#pragma once

#include <functional>

#include "absl/time/time.h"
#include "gateway/backend_table.h"
#include "gateway/child_call.h"
#include "grpcpp/server_context.h"
#include "rawgate/control/v1/control_service.pb.h"

namespace rawgate::gateway {

// How long a backend may take to describe itself before the answer is what was last known, as
// unreachable.
inline constexpr absl::Duration kDescribeWithin = absl::Seconds(1);

// Fills `*service` and calls `done`, from any thread. Never fails: a backend that does not answer
// is SERVICE_STATE_UNREACHABLE. `context` is the client's call, of which the question is a child;
// it must stay until then, as must `*service`.
void DescribeService(Backend& backend, const grpc::CallbackServerContext& context,
                     ChildCalls& children, control::v1::Service* service,
                     std::function<void()> done);

// The same for all of them at once, in order of name.
void ListAllServices(BackendTable& table, const grpc::CallbackServerContext& context,
                     ChildCalls& children, control::v1::ListServicesResponse* response,
                     std::function<void()> done);

}  // namespace rawgate::gateway
