#include "gateway/services_list.h"

#include <atomic>
#include <memory>
#include <utility>

#include "absl/time/clock.h"
#include "runtime/rpc/proto_time.h"

namespace rawgate::gateway {
namespace {

// One backend being asked. Shared with the call's completion.
struct Question {
  std::shared_ptr<grpc::ClientContext> context;
  control::v1::GetServiceRequest request;
  control::v1::GetServiceResponse response;
};

void SetUnreachable(const grpc::Status& status, control::v1::Service* service) {
  if (service->state() == control::v1::SERVICE_STATE_UNREACHABLE) return;
  service->set_state(control::v1::SERVICE_STATE_UNREACHABLE);
  service->set_last_error(status.error_message());
  *service->mutable_state_time() = rpc::ToProto(absl::Now());
}

}  // namespace

void DescribeService(Backend& backend, const grpc::CallbackServerContext& context,
                     ChildCalls& children, control::v1::Service* service,
                     std::function<void()> done) {
  *service = backend.service();
  // Known to be away: no need to ask.
  if (service->state() == control::v1::SERVICE_STATE_UNREACHABLE) return done();
  const auto question = std::make_shared<Question>();
  question->context = children.MakeBrief(context, kDescribeWithin);
  question->request.set_service(backend.name());
  backend.control().async()->GetService(
      question->context.get(), &question->request, &question->response,
      [question, service, done = std::move(done)](const grpc::Status& status) {
        if (status.ok()) {
          *service = std::move(*question->response.mutable_service());
        } else {
          SetUnreachable(status, service);
        }
        question->context.reset();
        done();
      });
}

void ListAllServices(BackendTable& table, const grpc::CallbackServerContext& context,
                     ChildCalls& children, control::v1::ListServicesResponse* response,
                     std::function<void()> done) {
  const auto& backends = table.backends();
  // All rows first: adding one later would move those that are being filled.
  for (size_t i = 0; i < backends.size(); ++i) response->add_services();
  const auto left = std::make_shared<std::atomic<size_t>>(backends.size());
  const auto all_done = std::make_shared<std::function<void()>>(std::move(done));
  for (size_t i = 0; i < backends.size(); ++i) {
    DescribeService(*backends[i], context, children,
                    response->mutable_services(static_cast<int>(i)), [left, all_done] {
                      if (left->fetch_sub(1) == 1) (*all_done)();
                    });
  }
}

}  // namespace rawgate::gateway
