// ExecService.Interact: a command and its client talk to each other.
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/rpc/bidi_stream.h"
#include "runtime/rpc/status.h"
#include "services/exec/exec_follow_servicer.h"
#include "services/exec/exec_proto_servicer.h"
#include "services/exec/exec_servicer.h"

namespace rawgate::exec {
namespace {

using Stream = rpc::BidiStream<v1::InteractRequest, v1::InteractResponse>;

constexpr absl::Duration kHalfClosePause = absl::Milliseconds(100);

// Or no error at all.
bool IsTooLate(const absl::Status& status) {
  const std::string reason = ReasonOf(status);
  return status.ok() || reason == "JOB_ENDED" || reason == "STDIN_CLOSED";
}

// What the client sends, one message after another: the next is read when the command has taken the
// one before. Loop thread. Owned by the stream's hook.
class Conversation final : public std::enable_shared_from_this<Conversation> {
 public:
  Conversation(std::shared_ptr<JobFollower> follower, Stream* stream)
      : follower_(std::move(follower)), stream_(stream) {}

  void Begin() {
    follower_->AwaitStart();
    Read();
  }
  void OnRequest(v1::InteractRequest request);
  // Half-close, or the stream is broken.
  void OnEnd();
  // The command runs, or never will.
  void OnStarted() {
    if (!std::exchange(started_, true)) Read();
  }

 private:
  // The stream is there as long as the follower has not finished it.
  void Read() {
    if (!follower_->finished()) stream_->Read();
  }
  void EndInput();
  void Start(v1::RunRequest request);
  void Write(std::string bytes);
  void Resize(const v1::WindowSize& size);
  void Signal(v1::Signal signal);
  void OnDone(const absl::Status& status);

  const std::shared_ptr<JobFollower> follower_;
  Stream* const stream_;
  bool asked_ = false;
  bool keeps_job_ = false;
  bool started_ = false;
};

void Conversation::OnRequest(v1::InteractRequest request) {
  if (follower_->finished()) return;
  if (request.has_start() == asked_) {
    return follower_->Fail(
        FieldError("event", "BAD_SEQUENCE", asked_ ? "`start` comes once" : "`start` comes first"));
  }
  switch (request.event_case()) {
    case v1::InteractRequest::kStart:
      return Start(std::move(*request.mutable_start()));
    case v1::InteractRequest::kStdin:
      return Write(std::move(*request.mutable_stdin()));
    case v1::InteractRequest::kResize:
      return Resize(request.resize());
    case v1::InteractRequest::kSignal:
      return Signal(request.signal());
    case v1::InteractRequest::EVENT_NOT_SET:
      break;
  }
  // Of a later version.
  Read();
}

void Conversation::OnEnd() {
  if (follower_->finished()) return;
  if (!asked_)
    return follower_->Fail(FieldError("event", "BAD_SEQUENCE", "the stream ended without `start`"));
  if (!keeps_job_) return EndInput();
  // gRPC tells of a broken stream in the same way, and a moment later that it was one; that is not
  // to end a command that is to go on.
  follower_->core().host().PostAfter(kHalfClosePause,
                                     [self = shared_from_this()] { self->EndInput(); });
}

void Conversation::EndInput() {
  Job* const job = follower_->finished() ? nullptr : follower_->job();
  if (job == nullptr) return;
  job->WriteInput("", /*end=*/true, std::nullopt,
                  [self = shared_from_this()](const absl::Status& ended) {
                    if (!IsTooLate(ended)) self->follower_->Fail(ended);
                  });
}

// What comes too late is nobody's fault, and is dropped.
void Conversation::OnDone(const absl::Status& status) {
  if (!IsTooLate(status)) return follower_->Fail(status);
  Read();
}

void Conversation::Start(v1::RunRequest request) {
  asked_ = true;
  follower_->call().CountReceived(request.ByteSizeLong());
  follower_->call().Describe([&request] { return DescribeRun(request); });
  request.set_keep_stdin_open(true);
  keeps_job_ = request.on_disconnect() == v1::ON_DISCONNECT_KEEP;
  follower_->Start(ToCommandSpec(request), !keeps_job_);
}

void Conversation::Write(std::string bytes) {
  follower_->call().CountReceived(bytes.size());
  if (bytes.size() > kInputBytesMax) {
    return follower_->Fail(FieldError(
        "stdin", "INPUT_TOO_LONG", absl::StrCat("more than ", kInputBytesMax, " bytes at once")));
  }
  Job* const job = follower_->job();
  if (job == nullptr) return Read();
  job->WriteInput(
      std::move(bytes), /*end=*/false, std::nullopt,
      [self = shared_from_this()](const absl::Status& written) { self->OnDone(written); });
}

void Conversation::Resize(const v1::WindowSize& size) {
  const absl::StatusOr<WindowSize> window = ToWindowSize(size, "resize");
  Job* const job = follower_->job();
  OnDone(!window.ok() || job == nullptr ? window.status() : job->Resize(*window));
}

void Conversation::Signal(v1::Signal signal) {
  const absl::StatusOr<int> number = ToSignal(signal);
  Job* const job = follower_->job();
  if (!number.ok() || job == nullptr) return OnDone(number.status());
  job->Signal(*number, /*all=*/true,
              [self = shared_from_this()](const absl::Status& sent) { self->OnDone(sent); });
}

class InteractSink final : public StreamSink<v1::InteractResponse, Stream> {
 public:
  InteractSink(Stream* stream, std::weak_ptr<Conversation> conversation)
      : StreamSink(stream), conversation_(std::move(conversation)) {}

  bool WriteStarted(v1::Started started) override {
    const bool room = StreamSink::WriteStarted(std::move(started));
    if (const auto conversation = conversation_.lock()) conversation->OnStarted();
    return room;
  }

 private:
  const std::weak_ptr<Conversation> conversation_;
};

}  // namespace

grpc::ServerBidiReactor<v1::InteractRequest, v1::InteractResponse>* ExecServicer::Interact(
    grpc::CallbackServerContext* context) {
  absl::StatusOr<rpc::Call> call = admission_.Admit(*context, "Interact");
  if (!call.ok()) {
    auto* const refused = new Stream(Stream::Hooks{});
    refused->Finish(rpc::ToGrpc(call.status()));
    return refused;
  }
  const auto follower = std::make_shared<JobFollower>(core_, *std::move(call), stall_timeout_);
  auto* const stream = follower->MakeWriter<Stream>();
  const auto conversation = std::make_shared<Conversation>(follower, stream);
  follower->SetSink(std::make_unique<InteractSink>(stream, conversation));
  stream->SetOnRead([this, conversation](const v1::InteractRequest* request) {
    if (request == nullptr) return core_.host().Post([conversation] { conversation->OnEnd(); });
    core_.host().Post([conversation, request = *request]() mutable {
      conversation->OnRequest(std::move(request));
    });
  });
  core_.host().Post([conversation] { conversation->Begin(); });
  return stream;
}

}  // namespace rawgate::exec
