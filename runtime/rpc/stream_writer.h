// The writing side of a stream over gRPC's callback API, made safe: one write at a time, a bounded
// queue, one Finish.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/support/server_callback.h"

namespace rawgate::rpc {

// A reactor that deletes itself when gRPC is done with it, which is not before Finish() was called.
// So it may be held by raw pointer until the holder calls Finish(), and hooks may come until
// `on_done` has run. All methods are thread-safe. `Reactor` is gRPC's class for the kind of stream.
template <typename Response, typename Reactor = grpc::ServerWriteReactor<Response>>
class StreamWriter : public Reactor {
 public:
  // Called on gRPC's threads with no lock held, possibly two at once (but for on_done).
  struct Hooks {
    // The queue has room again after Write() returned false. Not owed after a cancellation or
    // Finish().
    std::function<void()> on_room;
    // The client cancelled, its deadline passed, or the connection broke. May come at any time,
    // once; Finish() is still owed.
    std::function<void()> on_cancel;
    // The last call: this object is deleted right after.
    std::function<void()> on_done;
  };
  // At most `queue_max` responses wait behind the one being written; 0 is for who would rather skip
  // some than have them wait.
  explicit StreamWriter(Hooks hooks, size_t queue_max = 16)
      : hooks_(std::move(hooks)), queue_max_(queue_max) {}

  // Queues one response. False: it was taken, but the queue is now full; wait for on_room before
  // the next. After Finish() or cancellation responses are dropped and the answer is true.
  // With a queue_max of 0 that is so after every response, until it is written.
  bool Write(Response response);
  // Ends the stream after what is queued. Only the first call counts.
  void Finish(grpc::Status status);

 protected:
  // Only OnDone() deletes it.
  ~StreamWriter() override = default;

 private:
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  // Nothing more will reach the client.
  void Cancelled() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    cancelled_ = true;
    queue_.clear();
    room_owed_ = false;
  }

  // The methods of the base class are only ever called without mutex_ held, as they may run
  // reactions on this thread.
  const Hooks hooks_;
  const size_t queue_max_;
  absl::Mutex mutex_;
  // What gRPC is writing. Belongs to the one who set writing_, until OnWriteDone().
  Response current_;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<Response> queue_ ABSL_GUARDED_BY(mutex_);
  // Write() returned false and on_room has not come since.
  bool room_owed_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  bool finishing_ ABSL_GUARDED_BY(mutex_) = false;
  // Set while Finish() waits for what is queued.
  std::optional<grpc::Status> status_ ABSL_GUARDED_BY(mutex_);
};

template <typename Response, typename Reactor>
bool StreamWriter<Response, Reactor>::Write(Response response) {
  {
    absl::MutexLock lock(&mutex_);
    if (cancelled_ || finishing_) return true;
    if (writing_) {
      queue_.push_back(std::move(response));
      room_owed_ = queue_.size() >= queue_max_;
      return !room_owed_;
    }
    writing_ = true;
    room_owed_ = queue_max_ == 0;
    current_ = std::move(response);
  }
  this->StartWrite(&current_);
  return queue_max_ > 0;
}

template <typename Response, typename Reactor>
void StreamWriter<Response, Reactor>::Finish(grpc::Status status) {
  {
    absl::MutexLock lock(&mutex_);
    if (finishing_) return;
    finishing_ = true;
    room_owed_ = false;
    if (writing_) {
      status_ = std::move(status);
      return;
    }
  }
  Reactor::Finish(std::move(status));
}

template <typename Response, typename Reactor>
void StreamWriter<Response, Reactor>::OnWriteDone(bool ok) {
  bool write = false;
  bool room = false;
  std::optional<grpc::Status> status;
  {
    absl::MutexLock lock(&mutex_);
    // A failed write breaks the stream for good; gRPC reports it as a cancellation besides.
    if (!ok) Cancelled();
    room = std::exchange(room_owed_, false);
    write = !queue_.empty();
    if (write) {
      current_ = std::move(queue_.front());
      queue_.pop_front();
    } else {
      writing_ = false;
      status.swap(status_);
    }
  }
  // This object lives on until this function returns: OnDone() comes after all other reactions.
  if (write) this->StartWrite(&current_);
  if (status) Reactor::Finish(*std::move(status));
  if (room && hooks_.on_room) hooks_.on_room();
}

template <typename Response, typename Reactor>
void StreamWriter<Response, Reactor>::OnCancel() {
  {
    absl::MutexLock lock(&mutex_);
    Cancelled();
  }
  if (hooks_.on_cancel) hooks_.on_cancel();
}

template <typename Response, typename Reactor>
void StreamWriter<Response, Reactor>::OnDone() {
  if (hooks_.on_done) hooks_.on_done();
  delete this;
}

}  // namespace rawgate::rpc
