#include "gateway/child_call.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "gateway/metadata.h"

namespace rawgate::gateway {
namespace {

using TimePoint = std::chrono::system_clock::time_point;

std::unique_ptr<grpc::ClientContext> MakeContext(const grpc::CallbackServerContext& client,
                                                 TimePoint deadline) {
  std::unique_ptr<grpc::ClientContext> child =
      grpc::ClientContext::FromCallbackServerContext(client);
  child->set_deadline(deadline);
  AddMetadata(RequestMetadata(client), *child);
  return child;
}

}  // namespace

class ChildCalls::Registry {
 public:
  // False when the child is to be cancelled.
  bool Add(const std::shared_ptr<grpc::ClientContext>& child) {
    absl::MutexLock lock(&mutex_);
    children_.emplace(child.get(), child);
    return !ended_;
  }
  void Remove(grpc::ClientContext* child) {
    absl::MutexLock lock(&mutex_);
    children_.erase(child);
  }
  // All that there are, for good.
  std::vector<std::shared_ptr<grpc::ClientContext>> End() {
    std::vector<std::shared_ptr<grpc::ClientContext>> alive;
    absl::MutexLock lock(&mutex_);
    ended_ = true;
    for (const auto& [address, weak] : children_) {
      if (auto child = weak.lock()) alive.push_back(std::move(child));
    }
    return alive;
  }
  bool ended() const {
    absl::MutexLock lock(&mutex_);
    return ended_;
  }

 private:
  mutable absl::Mutex mutex_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_map<grpc::ClientContext*, std::weak_ptr<grpc::ClientContext>> children_
      ABSL_GUARDED_BY(mutex_);
};

ChildCalls::ChildCalls() : registry_(std::make_shared<Registry>()) {}
ChildCalls::~ChildCalls() = default;

std::shared_ptr<grpc::ClientContext> ChildCalls::Make(const grpc::CallbackServerContext& client,
                                                      absl::Duration ceiling) {
  const bool unlimited = client.deadline() == TimePoint::max();
  return Register(MakeContext(
      client, unlimited ? absl::ToChronoTime(absl::Now() + ceiling) : client.deadline()));
}

std::shared_ptr<grpc::ClientContext> ChildCalls::MakeBrief(
    const grpc::CallbackServerContext& client, absl::Duration within) {
  return Register(
      MakeContext(client, std::min(client.deadline(), absl::ToChronoTime(absl::Now() + within))));
}

std::shared_ptr<grpc::ClientContext> ChildCalls::Register(
    std::unique_ptr<grpc::ClientContext> child) {
  std::shared_ptr<grpc::ClientContext> registered(
      child.release(), [registry = registry_](grpc::ClientContext* context) {
        registry->Remove(context);
        delete context;
      });
  if (!registry_->Add(registered)) registered->TryCancel();
  return registered;
}

void ChildCalls::EndAll() {
  // With no lock held, as a completion may run right here.
  for (const auto& child : registry_->End()) child->TryCancel();
}

bool ChildCalls::ended() const { return registry_->ended(); }

}  // namespace rawgate::gateway
