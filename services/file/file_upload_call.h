// A stream of messages from a client into the store.
#pragma once

#include <concepts>
#include <deque>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "runtime/rpc/admission.h"
#include "runtime/rpc/raw_message.h"
#include "runtime/rpc/stall_timer.h"
#include "runtime/rpc/status.h"
#include "services/file/file_typed_transfer.h"

namespace rawgate::file {

// Knows what the messages of an upload mean. Made when the call was admitted, used by one thread at
// a time, which may block, and destroyed before the client has its answer.
template <typename T>
concept UploadReceiver = requires(T receiver, const T& constant, const typename T::Request& message,
                                  const TypedDoor& door, rpc::Call& call) {
  // `door` and `call` outlive it.
  T(door, call);
  // Stores what came; an error ends the call.
  { receiver.Take(message) } -> std::same_as<absl::Status>;
  // Nothing more needs to be taken.
  { constant.finished() } -> std::same_as<bool>;
  // The response, serialized. Once: when the client has ended its side, or this is finished.
  { receiver.Complete() } -> std::same_as<absl::StatusOr<grpc::ByteBuffer>>;
};

// One call. gRPC's threads bring messages, the pool has the receiver take them, at most kQueueMax
// of them between the two. Deletes itself.
template <UploadReceiver Receiver>
class UploadCall final : public grpc::ServerReadReactor<grpc::ByteBuffer> {
 public:
  // Of `method`. `door`, `context` and `response` are there until it is done.
  UploadCall(const TypedDoor& door, absl::string_view method, grpc::CallbackServerContext& context,
             grpc::ByteBuffer& response);

 private:
  using Request = typename Receiver::Request;
  // One message is received while another is taken.
  static constexpr size_t kQueueMax = 2;
  // Messages after which the pool's thread goes to somebody else.
  static constexpr int kTurn = 16;

  void OnReadDone(bool ok) override;
  void OnDone() override { delete this; }
  void OnEndRequested(const absl::Status& why);
  // The next message into incoming_.
  void Read();

  // Has the receiver take what is queued. On the pool; one at a time.
  void Work();
  enum class Step {
    kMessage,
    kWait,  // OnReadDone() goes on
    kEnd,   // all that was sent is taken, or the call was interrupted
  };
  Step Next(Request* message);
  absl::Status Complete();
  // The last that is done on the pool; this object may be gone when it returns.
  void End(const absl::Status& outcome);

  const TypedDoor& door_;
  grpc::CallbackServerContext& context_;
  grpc::ByteBuffer& response_;
  std::optional<rpc::Call> call_;
  std::optional<rpc::StallTimer> stall_;
  grpc::ByteBuffer incoming_;
  // Only Work().
  std::optional<Receiver> receiver_;

  // Not held when anything of the base class is called: reactions may run inside.
  absl::Mutex mutex_;
  std::deque<Request> queue_ ABSL_GUARDED_BY(mutex_);
  bool reading_ ABSL_GUARDED_BY(mutex_) = true;
  bool working_ ABSL_GUARDED_BY(mutex_) = false;
  // The client has ended: half-close, cancellation, or gone.
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  // Why the call is to end before the client has ended, if it is.
  absl::Status interruption_ ABSL_GUARDED_BY(mutex_);
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

template <UploadReceiver Receiver>
UploadCall<Receiver>::UploadCall(const TypedDoor& door, absl::string_view method,
                                 grpc::CallbackServerContext& context, grpc::ByteBuffer& response)
    : door_(door), context_(context), response_(response) {
  absl::StatusOr<rpc::Call> call = door.admission.Admit(context, method);
  if (!call.ok()) {
    Finish(rpc::ToGrpc(call.status()));
    return;
  }
  call_.emplace(*std::move(call));
  stall_.emplace(*call_, door.stall_timeout);
  receiver_.emplace(door, *call_);
  Read();
  // Last: from here on Work() may run.
  call_->OnEndRequested([this](const absl::Status& why) { OnEndRequested(why); });
}

template <UploadReceiver Receiver>
void UploadCall<Receiver>::OnEndRequested(const absl::Status& why) {
  {
    const absl::MutexLock lock(&mutex_);
    interruption_.Update(why);
    if (std::exchange(working_, true)) return;
  }
  door_.disk.Post([this] { Work(); });
}

template <UploadReceiver Receiver>
void UploadCall<Receiver>::Read() {
  stall_->AwaitClient();
  StartRead(&incoming_);
}

template <UploadReceiver Receiver>
void UploadCall<Receiver>::OnReadDone(bool ok) {
  Request message;
  const absl::Status parsed = ok ? rpc::Parse(&incoming_, &message) : absl::OkStatus();
  bool work = false;
  {
    const absl::MutexLock lock(&mutex_);
    reading_ = false;
    if (finished_) return;
    stall_->ClientDid();
    if (!ok) {
      ended_ = true;
    } else if (!parsed.ok()) {
      interruption_.Update(parsed);
    } else {
      queue_.push_back(std::move(message));
      reading_ = queue_.size() < kQueueMax;
    }
    ok = reading_;
    work = !std::exchange(working_, true);
    if (ok) stall_->AwaitClient();
  }
  if (work) door_.disk.Post([this] { Work(); });
  // Should Work() have finished the call by now, this read merely fails: the call, and this object,
  // last as long as this reaction.
  if (ok) StartRead(&incoming_);
}

template <UploadReceiver Receiver>
void UploadCall<Receiver>::Work() {
  Request message;
  for (int messages = 0; messages < kTurn; ++messages) {
    switch (Next(&message)) {
      case Step::kMessage:
        if (absl::Status taken = receiver_->Take(message); !taken.ok()) return End(taken);
        if (receiver_->finished()) return End(Complete());
        break;
      case Step::kWait:
        return;
      case Step::kEnd:
        return End(Complete());
    }
  }
  // Others have waited for this thread; working_ stays.
  door_.disk.Post([this] { Work(); });
}

template <UploadReceiver Receiver>
typename UploadCall<Receiver>::Step UploadCall<Receiver>::Next(Request* message) {
  bool read = false;
  {
    const absl::MutexLock lock(&mutex_);
    if (!interruption_.ok()) return Step::kEnd;
    if (queue_.empty()) {
      working_ = ended_;
      return ended_ ? Step::kEnd : Step::kWait;
    }
    *message = std::move(queue_.front());
    queue_.pop_front();
    read = !reading_ && !ended_;
    reading_ = reading_ || read;
  }
  if (read) Read();
  return Step::kMessage;
}

template <UploadReceiver Receiver>
absl::Status UploadCall<Receiver>::Complete() {
  {
    const absl::MutexLock lock(&mutex_);
    if (!interruption_.ok()) return interruption_;
  }
  // A client that gave up must not find its file stored.
  if (context_.IsCancelled()) return absl::CancelledError("the client is gone");
  absl::StatusOr<grpc::ByteBuffer> response = receiver_->Complete();
  if (response.ok()) response_ = *std::move(response);
  return response.status();
}

template <UploadReceiver Receiver>
void UploadCall<Receiver>::End(const absl::Status& outcome) {
  receiver_.reset();
  const grpc::Status status = call_->End(outcome);
  {
    const absl::MutexLock lock(&mutex_);
    finished_ = true;
    queue_.clear();
  }
  // With no lock held: both wait for what is being asked of this call, which takes it.
  stall_.reset();
  call_.reset();
  // A read in progress, if any, ends with the call; OnDone() comes after it.
  Finish(status);
}

}  // namespace rawgate::file
