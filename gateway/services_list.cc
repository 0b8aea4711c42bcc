#include "gateway/services_list.h"

#include <atomic>
#include <utility>

#include "absl/time/clock.h"
#include "runtime/rpc/proto_time.h"

namespace rawgate::gateway {
namespace {

using control::v1::Service;

// A row, and who is asked for it: nobody where that is null.
struct AskedRow {
  std::shared_ptr<Replica> replica;
  Service* row;
};

// One replica being asked. Shared with the call's completion.
struct Question {
  std::shared_ptr<Replica> replica;
  std::shared_ptr<grpc::ClientContext> context;
  control::v1::GetServiceRequest request;
  control::v1::GetServiceResponse response;
};

void SetUnreachable(const grpc::Status& status, Service* service) {
  if (service->state() == control::v1::SERVICE_STATE_UNREACHABLE) return;
  service->set_state(control::v1::SERVICE_STATE_UNREACHABLE);
  service->set_last_error(status.error_message());
  *service->mutable_state_time() = rpc::ToProto(absl::Now());
}

void Describe(std::shared_ptr<Replica> replica, const grpc::CallbackServerContext& context,
              ChildCalls& children, Service* row, std::function<void()> done) {
  // Known to be away: no need to ask.
  if (row->state() == control::v1::SERVICE_STATE_UNREACHABLE) return done();
  const auto question = std::make_shared<Question>();
  question->replica = std::move(replica);
  question->context = children.MakeBrief(context, kDescribeWithin);
  question->request.set_service(question->replica->name());
  question->replica->control().async()->GetService(
      question->context.get(), &question->request, &question->response,
      [question, row, done = std::move(done)](const grpc::Status& status) {
        if (status.ok()) {
          *row = std::move(*question->response.mutable_service());
          row->set_address(question->replica->address());
        } else {
          SetUnreachable(status, row);
        }
        // Their shares of the channel: see ChildCalls.
        question->context.reset();
        question->replica.reset();
        done();
      });
}

void AddRows(const Backend& backend, std::vector<std::shared_ptr<Replica>> replicas,
             ServiceRows& rows, std::vector<AskedRow>& asked) {
  if (replicas.empty()) *rows.Add() = backend.AbsentRow();
  for (auto& replica : replicas) {
    Service* const row = rows.Add();
    *row = replica->service();
    asked.push_back({std::move(replica), row});
  }
}

void DescribeAll(std::vector<AskedRow> asked, const grpc::CallbackServerContext& context,
                 ChildCalls& children, std::function<void()> done) {
  // One more than there are questions: this function, so that none is the last before all are put.
  const auto left = std::make_shared<std::atomic<size_t>>(asked.size() + 1);
  const auto all_done = std::make_shared<std::function<void()>>(std::move(done));
  const auto answered = [left, all_done] {
    if (left->fetch_sub(1) == 1) (*all_done)();
  };
  for (AskedRow& one : asked)
    Describe(std::move(one.replica), context, children, one.row, answered);
  answered();
}

}  // namespace

void DescribeReplicas(const Backend& backend, std::vector<std::shared_ptr<Replica>> replicas,
                      const grpc::CallbackServerContext& context, ChildCalls& children,
                      ServiceRows& rows, std::function<void()> done) {
  std::vector<AskedRow> asked;
  AddRows(backend, std::move(replicas), rows, asked);
  DescribeAll(std::move(asked), context, children, std::move(done));
}

void ListAllServices(const BackendTable& table, const grpc::CallbackServerContext& context,
                     ChildCalls& children, ServiceRows& rows, std::function<void()> done) {
  std::vector<AskedRow> asked;
  for (const auto& backend : table.backends()) AddRows(*backend, backend->replicas(), rows, asked);
  DescribeAll(std::move(asked), context, children, std::move(done));
}

}  // namespace rawgate::gateway
