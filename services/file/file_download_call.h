// A stream of messages out of the store to a client.
#pragma once

#include <atomic>
#include <concepts>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "runtime/rpc/admission.h"
#include "runtime/rpc/stall_timer.h"
#include "runtime/rpc/status.h"
#include "runtime/rpc/stream_writer.h"
#include "services/file/file_typed_transfer.h"

namespace rawgate::file {

// Knows what the messages of a download are. Made when the call was admitted, used by one thread at
// a time, which may block, and destroyed when there is no next message.
template <typename T>
concept DownloadSource = requires(T source, const T& constant, const typename T::Request& request,
                                  const TypedDoor& door, rpc::Call& call) {
  // `door` and `call` outlive it.
  T(door, call, request);
  // Once, before all else; an error ends the call.
  { source.Open() } -> std::same_as<absl::Status>;
  // There is no next message.
  { constant.finished() } -> std::same_as<bool>;
  // An error ends the call.
  { source.Next() } -> std::same_as<absl::StatusOr<typename T::Response>>;
};

// One call: the pool has the source produce messages, as far ahead of the client as kQueueMax of
// them. Shared by the hooks of the writer and of the call, and by the piece of work on the pool,
// and gone with the last of them.
template <DownloadSource Source>
class DownloadCall final : public std::enable_shared_from_this<DownloadCall<Source>> {
 public:
  using Request = typename Source::Request;
  using Response = typename Source::Response;

  // Of `method`. `door` and `context` are there until it is done; not so `request`.
  static grpc::ServerWriteReactor<Response>* Start(const TypedDoor& door, absl::string_view method,
                                                   grpc::CallbackServerContext& context,
                                                   const Request& request);

 private:
  using Writer = rpc::StreamWriter<Response>;
  static constexpr size_t kQueueMax = 2;

  DownloadCall(const TypedDoor& door, rpc::Call call) : door_(door), call_(std::move(call)) {}

  Writer* Open();
  // Something is to be done: there is room, or the call is to end. Any thread.
  void Wake();
  // Why it is to end, if it is.
  absl::Status Interruption();
  // On the pool; one at a time.
  void Work();
  // The rest of the call, until the queue is full.
  void Produce();
  void End(const absl::Status& outcome);

  const TypedDoor& door_;
  // Wakes not yet answered by Work().
  std::atomic<int> wakes_{0};
  absl::Mutex mutex_;
  absl::Status interruption_ ABSL_GUARDED_BY(mutex_);

  // Only Start() and Work().
  // Null once it was told to finish.
  Writer* writer_ = nullptr;
  // Both until the client has read all: those who do not are listed, and limited, as long.
  std::optional<rpc::Call> call_;
  std::optional<rpc::StallTimer> stall_;
  std::optional<Source> source_;
  bool open_ = false;
};

template <DownloadSource Source>
grpc::ServerWriteReactor<typename Source::Response>* DownloadCall<Source>::Start(
    const TypedDoor& door, absl::string_view method, grpc::CallbackServerContext& context,
    const Request& request) {
  absl::StatusOr<rpc::Call> call = door.admission.Admit(context, method);
  if (!call.ok()) {
    auto* refusal = new Writer({});
    refusal->Finish(rpc::ToGrpc(call.status()));
    return refusal;
  }
  std::shared_ptr<DownloadCall> self(new DownloadCall(door, *std::move(call)));
  self->stall_.emplace(*self->call_, door.stall_timeout);
  self->source_.emplace(door, *self->call_, request);
  Writer* writer = self->Open();
  self->Wake();
  return writer;
}

template <DownloadSource Source>
typename DownloadCall<Source>::Writer* DownloadCall<Source>::Open() {
  const auto interrupt = [self = this->shared_from_this()](const absl::Status& why) {
    {
      const absl::MutexLock lock(&self->mutex_);
      self->interruption_.Update(why);
    }
    self->Wake();
  };
  writer_ = new Writer(
      {.on_room = [self = this->shared_from_this()] { self->Wake(); },
       .on_cancel = [interrupt] { interrupt(absl::CancelledError("the client is gone")); },
       // After End(), so that nothing else touches these.
       .on_done =
           [self = this->shared_from_this()] {
             self->stall_.reset();
             self->call_.reset();
           }},
      kQueueMax);
  call_->OnEndRequested(interrupt);
  return writer_;
}

template <DownloadSource Source>
void DownloadCall<Source>::Wake() {
  if (wakes_.fetch_add(1) > 0) return;
  door_.disk.Post([self = this->shared_from_this()] { self->Work(); });
}

template <DownloadSource Source>
void DownloadCall<Source>::Work() {
  for (int answered = wakes_; answered > 0; answered = wakes_.fetch_sub(answered) - answered) {
    if (writer_ != nullptr) Produce();
  }
}

template <DownloadSource Source>
absl::Status DownloadCall<Source>::Interruption() {
  const absl::MutexLock lock(&mutex_);
  return interruption_;
}

template <DownloadSource Source>
void DownloadCall<Source>::Produce() {
  stall_->ClientDid();
  if (!std::exchange(open_, true)) {
    if (const absl::Status opened = source_->Open(); !opened.ok()) return End(opened);
  }
  while (!source_->finished()) {
    if (const absl::Status why = Interruption(); !why.ok()) return End(why);
    absl::StatusOr<Response> response = source_->Next();
    if (!response.ok()) return End(response.status());
    const bool room = writer_->Write(*std::move(response));
    // Behind the last message, nothing wants room.
    if (!room && !source_->finished()) return stall_->AwaitClient();
  }
  End(absl::OkStatus());
}

template <DownloadSource Source>
void DownloadCall<Source>::End(const absl::Status& outcome) {
  const grpc::Status status = call_->End(outcome);
  // What waits in the queue is still the client's to read.
  stall_->AwaitClient();
  // This object is kept by its hooks until the client is done: not so the file.
  source_.reset();
  std::exchange(writer_, nullptr)->Finish(status);
}

}  // namespace rawgate::file
