#include "services/exec/exec_servicer.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/base/status.h"
#include "runtime/rpc/proto_time.h"
#include "runtime/rpc/server.h"
#include "runtime/rpc/stall_timer.h"
#include "runtime/rpc/status.h"
#include "runtime/rpc/stream_writer.h"
#include "services/exec/exec_proto_servicer.h"
#include "services/exec/exec_unread.h"

namespace rawgate::exec {
namespace {

using RunWriter = rpc::StreamWriter<v1::RunResponse>;

// Output messages that wait behind the one being written. With what gRPC buffers this bounds what a
// slow client costs; the rest of the output stays where the core keeps it.
constexpr size_t kQueuedMessages = 2;

// One Run call. Lives on the loop thread; the hooks of the writer and of the call only post to it.
// Owned by these hooks, and by itself while the job can call it.
class RunCall final : public JobObserver, public std::enable_shared_from_this<RunCall> {
 public:
  RunCall(ExecCore& core, rpc::Call call, absl::Duration stall_timeout)
      : core_(core), call_(std::move(call)) {
    stall_.emplace(*call_, stall_timeout);
  }

  // The reactor for gRPC.
  RunWriter* Open() {
    call_->OnEndRequested([self = shared_from_this()](const absl::Status& why) {
      self->core_.host().Post([self, why] { self->OnEndRequested(why); });
    });
    writer_ =
        new RunWriter({.on_room = [self = shared_from_this()] { self->Post(&RunCall::OnRoom); },
                       .on_cancel = [self = shared_from_this()] { self->Post(&RunCall::OnCancel); },
                       .on_done = [self = shared_from_this()] { self->Release(); }},
                      kQueuedMessages);
    return writer_;
  }
  void Begin(absl::StatusOr<CommandSpec> spec) {
    if (spec.ok()) spec->connection_id = call_->id();
    core_.host().Post([self = shared_from_this(), spec = std::move(spec)]() mutable {
      self->Start(std::move(spec));
    });
  }

 private:
  void Post(void (RunCall::*reaction)()) {
    core_.host().Post([self = shared_from_this(), reaction] { (self.get()->*reaction)(); });
  }

  void Start(absl::StatusOr<CommandSpec> spec) {
    absl::Status refused = spec.status();
    if (spec.ok() && cancelled_) refused = absl::CancelledError("the caller has gone");
    refused.Update(end_requested_);
    if (refused.ok()) {
      auto started = core_.Start(*std::move(spec), *this);
      refused = started.status();
      if (started.ok()) job_ = *std::move(started);
    }
    if (!refused.ok()) return Finish(refused, /*told=*/false);
    self_ = shared_from_this();
  }

  void OnJobStarted(Job& job) override {
    started_ = true;
    v1::RunResponse response;
    response.mutable_started()->set_job_id(job.id());
    response.mutable_started()->set_pid(job.pid());
    *response.mutable_started()->mutable_start_time() = rpc::ToProto(job.start_time());
    Write(std::move(response));
  }

  void OnJobOutput(Job& job, OutputStream) override { Pump(job); }

  void OnJobEnded(Job& job) override {
    ended_ = true;
    if (!finished_) unread_.emplace(core_.unread(), job, [this] { GiveUp(); });
    Pump(job);
    self_.reset();
  }

  void OnRoom() {
    room_ = true;
    // The last messages are the client's to read however many they are.
    if (!finished_) stall_->ClientDid();
    if (unread_) unread_->ClientDid();
    if (job_ != nullptr) Pump(*job_);
  }

  void OnCancel() {
    cancelled_ = true;
    room_ = true;
    if (job_ == nullptr) return;
    job_->Cancel();
    Pump(*job_);
  }

  // The command ends, and the client learns how, as if it had asked for that itself; but all output
  // is still sent, to a client who reads.
  void OnEndRequested(const absl::Status& why) {
    end_requested_ = why;
    if (job_ != nullptr) job_->Cancel();
  }

  void GiveUp() {
    Finish(WithRetryAfter(Error(absl::StatusCode::kResourceExhausted, "OUTPUT_NOT_READ",
                                "others needed the room that the unread output took"),
                          absl::Seconds(1)),
           /*told=*/false);
  }

  // Sends what there is while there is room, one stream and the other by turns.
  void Pump(Job& job) {
    while (room_ && !reading_ && !finished_) {
      const std::optional<OutputStream> stream = cancelled_ ? std::nullopt : NextStream(job);
      if (!stream) break;
      Send(job, *stream);
    }
    if (ended_ && !reading_ && !finished_ && (cancelled_ || (room_ && !NextStream(job))))
      FinishWithOutcome(job);
  }

  std::optional<OutputStream> NextStream(const Job& job) const {
    const OutputStream first =
        last_ == OutputStream::kStdout ? OutputStream::kStderr : OutputStream::kStdout;
    for (const OutputStream stream : {first, last_}) {
      if (sent_[static_cast<size_t>(stream)] < job.output(stream).size()) return stream;
    }
    return std::nullopt;
  }

  void Send(Job& job, OutputStream stream) {
    last_ = stream;
    const uint64_t offset = sent_[static_cast<size_t>(stream)];
    const Output& output = job.output(stream);
    if (!output.in_file()) return SendBytes(stream, output.Read(offset, rpc::kChunkBytes));
    reading_ = true;
    auto bytes = std::make_shared<absl::StatusOr<std::string>>("");
    core_.host().RunOnDisk(
        [&output, offset, bytes, size = output.size(), job = job_] {
          *bytes = output.Read(
              offset, static_cast<size_t>(std::min<uint64_t>(rpc::kChunkBytes, size - offset)));
        },
        [self = shared_from_this(), bytes, stream] {
          self->reading_ = false;
          if (self->finished_) return;
          self->SendBytes(stream, std::move(*bytes));
          if (!self->finished_) self->Pump(*self->job_);
        });
  }

  void SendBytes(OutputStream stream, absl::StatusOr<std::string> bytes) {
    if (!bytes.ok()) {
      job_->Cancel();
      return Finish(bytes.status(), /*told=*/false);
    }
    uint64_t& sent = sent_[static_cast<size_t>(stream)];
    v1::RunResponse response;
    v1::Output& output = *response.mutable_output();
    output.set_stream(stream == OutputStream::kStdout ? v1::OUTPUT_STREAM_STDOUT
                                                      : v1::OUTPUT_STREAM_STDERR);
    output.set_offset(sent);
    sent += bytes->size();
    call_->CountSent(bytes->size());
    output.set_data(*std::move(bytes));
    Write(std::move(response));
  }

  void Write(v1::RunResponse response) {
    if (finished_ || writer_->Write(std::move(response))) return;
    room_ = false;
    stall_->AwaitClient();
  }

  void FinishWithOutcome(const Job& job) {
    // Its turn never came: nothing ran, and to say so lets the client try elsewhere.
    if (!started_ && !end_requested_.ok()) return Finish(end_requested_, /*told=*/false);
    v1::RunResponse response;
    *response.mutable_outcome() = ToProto(job);
    Write(std::move(response));
    // A client who was asked in vain to take the outcome has been cut off.
    const bool cut_off = cancelled_ && !end_requested_.ok();
    Finish(cut_off ? end_requested_ : ToStatus(job.outcome()), /*told=*/!cut_off);
  }

  // `told`: the client has the outcome as a message, and the call itself went well.
  void Finish(const absl::Status& status, bool told) {
    if (std::exchange(finished_, true)) return;
    const grpc::Status ended = call_->End(status);
    stall_->AwaitClient();
    std::exchange(writer_, nullptr)->Finish(told ? grpc::Status::OK : ended);
    // However slowly the client reads what is on its way.
    unread_.reset();
    job_.reset();
  }

  // The client has read all, or is gone. After Finish(), so that nothing else touches these.
  void Release() {
    stall_.reset();
    call_.reset();
  }

  ExecCore& core_;
  // Both until the client has read all: those who do not are listed, and limited, as long.
  std::optional<rpc::Call> call_;
  std::optional<rpc::StallTimer> stall_;
  // Deleted by gRPC after Finish().
  RunWriter* writer_ = nullptr;
  std::shared_ptr<Job> job_;
  std::optional<UnreadOutputs::Wait> unread_;
  std::shared_ptr<RunCall> self_;
  std::array<uint64_t, 2> sent_{};
  OutputStream last_ = OutputStream::kStderr;
  bool room_ = true;
  // A chunk is being read from a file.
  bool reading_ = false;
  bool started_ = false;
  bool cancelled_ = false;
  // Why, if somebody other than the client wants an end.
  absl::Status end_requested_;
  bool ended_ = false;
  bool finished_ = false;
};

}  // namespace

grpc::ServerWriteReactor<v1::RunResponse>* ExecServicer::Run(grpc::CallbackServerContext* context,
                                                             const v1::RunRequest* request) {
  absl::StatusOr<rpc::Call> call = admission_.Admit(*context, "Run");
  if (!call.ok()) {
    auto* const refused = new RunWriter({});
    refused->Finish(rpc::ToGrpc(call.status()));
    return refused;
  }
  call->CountReceived(request->ByteSizeLong());
  call->Describe([request] {
    return absl::StrCat("run: ", request->has_shell_command()
                                     ? request->shell_command()
                                     : absl::StrJoin(request->argv().arguments(), " "));
  });
  // `request` goes away when the call ends, which may be before the loop gets to it.
  const auto run = std::make_shared<RunCall>(core_, *std::move(call), stall_timeout_);
  RunWriter* const writer = run->Open();
  run->Begin(ToCommandSpec(*request));
  return writer;
}

}  // namespace rawgate::exec
