// Services with counters of this moment, asked of the replicas themselves.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "gateway/backend_table.h"
#include "gateway/child_call.h"
#include "grpcpp/server_context.h"
#include "rawgate/control/v1/control_service.pb.h"

namespace rawgate::gateway {

// How long a replica may take to describe itself before the answer is what was last known, as
// unreachable.
inline constexpr absl::Duration kDescribeWithin = absl::Seconds(1);

using ServiceRows = google::protobuf::RepeatedPtrField<control::v1::Service>;

// Adds a row for each of `replicas` of `backend`, or where there are none its absent row, and calls
// `done`, from any thread. Never fails: a replica that does not answer is
// SERVICE_STATE_UNREACHABLE. `context` is the client's call, of which the questions are children;
// it must stay until then, as must `rows`.
void DescribeReplicas(const Backend& backend, std::vector<std::shared_ptr<Replica>> replicas,
                      const grpc::CallbackServerContext& context, ChildCalls& children,
                      ServiceRows& rows, std::function<void()> done);

// The same for all of all backends at once, in order of name.
void ListAllServices(const BackendTable& table, const grpc::CallbackServerContext& context,
                     ChildCalls& children, ServiceRows& rows, std::function<void()> done);

}  // namespace rawgate::gateway
