// One method of ControlService called at several replicas at once.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/replica.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/status.h"

namespace rawgate::gateway {

// What one of them said.
template <typename Response>
struct ReplicaAnswer {
  std::string address;
  std::shared_ptr<grpc::ClientContext> context;
  Response response = {};
  grpc::Status status = {};
};

// The answers, in the order of the replicas. They have shares of channels: see ChildCalls.
template <typename Response>
using ReplicaAnswers = std::vector<ReplicaAnswer<Response>>;

template <typename Request, typename Response>
using ReplicaMethod = void (control::v1::ControlService::Stub::async::*)(
    grpc::ClientContext*, const Request*, Response*, std::function<void(grpc::Status)>);

// Calls `done` once, from any thread, when all have answered. There is at least one replica;
// `request` stays until then, and `make_context` is called here, once for each.
template <typename Request, typename Response>
void CallReplicas(std::vector<std::shared_ptr<Replica>> replicas, const Request* request,
                  ReplicaMethod<Request, Response> method,
                  const std::function<std::shared_ptr<grpc::ClientContext>()>& make_context,
                  std::function<void(ReplicaAnswers<Response>)> done) {
  struct Calls {
    std::vector<std::shared_ptr<Replica>> replicas;
    ReplicaAnswers<Response> answers;
    std::atomic<size_t> left;
    std::function<void(ReplicaAnswers<Response>)> done;
  };
  const auto calls = std::make_shared<Calls>();
  const size_t count = replicas.size();
  for (const auto& replica : replicas)
    calls->answers.push_back({.address = replica->address(), .context = make_context()});
  calls->replicas = std::move(replicas);
  calls->left = count;
  calls->done = std::move(done);
  for (size_t i = 0; i < count; ++i) {
    ReplicaAnswer<Response>& answer = calls->answers[i];
    (calls->replicas[i]->control().async()->*method)(
        answer.context.get(), request, &answer.response, [calls, i](const grpc::Status& status) {
          calls->answers[i].status = status;
          if (calls->left.fetch_sub(1) > 1) return;
          calls->replicas.clear();
          calls->done(std::move(calls->answers));
        });
  }
}

}  // namespace rawgate::gateway
