// The channels that one backend's calls are forwarded over, and how others take their place.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/channel.h"

namespace rawgate::gateway {

// What one lane forwards calls over.
struct LaneChannels {
  std::shared_ptr<grpc::Channel> unary;
  // Never tries a stream again: see OpenBackendChannels().
  std::shared_ptr<grpc::Channel> streams;
};

// Thread-safe.
class ForwardingChannels {
 public:
  // Gives the channels of each lane, at least one; lanes take turns, each stays with its own.
  using Open = std::function<std::vector<LaneChannels>()>;

  explicit ForwardingChannels(Open open);

  // For a new call on lane `lane`.
  std::shared_ptr<grpc::Channel> ForUnary(size_t lane);
  std::shared_ptr<grpc::Channel> ForStream(size_t lane);

  // The target has an address that the channels may not know: gRPC asks for addresses when a
  // channel is new, and after that only when a connection breaks. New channels are opened; each
  // takes the place of the one there is when it is ready, so no call waits for it or fails with it.
  // Calls stay where they are. Those of the same target and settings share connections.
  void Reopen();

  // A replica serves that did not: the channels look for it now, however long they meant to wait
  // before another try, and until they have found it calls had better wait for them. With false
  // there is none any more, so that nothing is to be waited for.
  void Expect(bool replica);
  // Whether a new call should wait.
  bool Expecting();

  // Whether all replicas are finishing their work: what calls then fail with is that they have to
  // wait for others, not that something is wrong.
  void SetLeaving(bool leaving) { leaving_ = leaving; }
  bool leaving() const { return leaving_; }

 private:
  struct Slot {
    std::shared_ptr<grpc::Channel> now;
    // Null, or not ready when it was last looked at.
    std::shared_ptr<grpc::Channel> next;
  };
  std::shared_ptr<grpc::Channel> Take(Slot& slot) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Open open_;
  std::atomic<bool> leaving_ = false;
  std::atomic<bool> expecting_ = false;
  absl::Mutex mutex_;
  std::vector<Slot> unary_ ABSL_GUARDED_BY(mutex_);
  std::vector<Slot> streams_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rawgate::gateway
