#include "runtime/rpc/health_check.h"

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "grpc/health/v1/health.pb.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/support/channel_arguments.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::rpc {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

absl::Status CheckHealth(const std::string& target,
                         const std::shared_ptr<grpc::ChannelCredentials>& credentials,
                         const std::string& host, absl::Duration timeout) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  if (!host.empty()) arguments.SetSslTargetNameOverride(host);
  grpc::TemplatedGenericStub<HealthCheckRequest, HealthCheckResponse> stub(
      grpc::CreateCustomChannel(target, credentials, arguments));
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  const HealthCheckRequest whole_process;
  HealthCheckResponse response;
  grpc::Status status;
  absl::Notification done;
  stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", grpc::StubOptions(), &whole_process,
                 &response, [&](grpc::Status ended) {
                   status = std::move(ended);
                   done.Notify();
                 });
  done.WaitForNotification();
  if (!status.ok()) return FromGrpc(status);
  if (response.status() == HealthCheckResponse::SERVING) return absl::OkStatus();
  return Error(
      absl::StatusCode::kUnavailable, "NOT_SERVING",
      absl::StrCat(target, " says ", HealthCheckResponse::ServingStatus_Name(response.status())));
}

}  // namespace rawgate::rpc
