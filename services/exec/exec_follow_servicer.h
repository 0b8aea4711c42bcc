// What Run, Attach and Interact have in common: a job's start, output and outcome go to a client,
// as fast as he reads and no faster.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/support/status.h"
#include "rawgate/exec/v1/exec_service.pb.h"
#include "runtime/rpc/admission.h"
#include "runtime/rpc/stall_timer.h"
#include "runtime/rpc/stream_writer.h"
#include "services/exec/exec_core.h"
#include "services/exec/exec_unread.h"

namespace rawgate::exec {

// Where a job's news go: one kind of stream. The writing methods are as StreamWriter::Write().
class FollowerSink {
 public:
  virtual ~FollowerSink() = default;
  virtual bool WriteStarted(v1::Started started) = 0;
  virtual bool WriteOutput(v1::Output output) = 0;
  virtual bool WriteOutcome(v1::Outcome outcome) = 0;
  // The last call; the sink's stream may be gone afterwards.
  virtual void Finish(const grpc::Status& status) = 0;
};

// One call. Lives on the loop thread, but for what says otherwise; what comes from other threads is
// posted. Owned by the hooks of the call and of its stream, and by itself while the job can call
// it.
class JobFollower final : public JobObserver, public std::enable_shared_from_this<JobFollower> {
 public:
  JobFollower(ExecCore& core, rpc::Call call, absl::Duration stall_timeout);

  // ---- Once, before anything else, on any thread

  // A stream for this follower, as `Writer(hooks, queue_max)`.
  template <typename Writer>
  Writer* MakeWriter() {
    ListenToCall();
    return new Writer(
        {.on_room = [self = shared_from_this()] { self->Post(&JobFollower::OnRoom); },
         .on_cancel = [self = shared_from_this()] { self->Post(&JobFollower::OnCancel); },
         .on_done = [self = shared_from_this()] { self->Release(); }},
        kQueuedMessages);
  }
  void SetSink(std::unique_ptr<FollowerSink> sink) { sink_ = std::move(sink); }

  // ---- One of these

  // It is for the client to say first what it wants: then Start() follows, or Fail().
  void AwaitStart();
  // `ends_job`: the job ends with this call.
  void Start(absl::StatusOr<CommandSpec> spec, bool ends_job);
  // `attached` is called first, and says from which offsets on the output is wanted.
  using Offsets = std::array<uint64_t, 2>;
  void Attach(const std::string& job_id,
              std::function<absl::StatusOr<Offsets>(const Job&)> attached);

  // ---- Then

  // Null before it was started, and after Fail() or the end.
  Job* job() { return job_.get(); }
  rpc::Call& call() { return *call_; }
  ExecCore& core() { return core_; }
  bool finished() const { return finished_; }
  // Ends the call, and with it the job if it ends with this call.
  void Fail(const absl::Status& why);

 private:
  // Messages that wait behind the one being written. With what gRPC buffers this bounds what a slow
  // client costs; the rest of the output stays where the core keeps it.
  static constexpr size_t kQueuedMessages = 2;

  void ListenToCall();
  void Post(void (JobFollower::*reaction)());
  void Follow(std::shared_ptr<Job> job);
  void OnJobStarted(Job& job) override;
  void OnJobOutput(Job& job, OutputStream stream) override;
  void OnJobEnded(Job& job) override;
  uint64_t Needs(OutputStream stream) const override { return sent_[static_cast<size_t>(stream)]; }
  bool OwnsJob() const override { return ends_job_; }
  void OnRoom();
  void OnCancel();
  void OnEndRequested(const absl::Status& why);
  void GiveUp();
  void LeaveJob();
  void Pump(Job& job);
  std::optional<OutputStream> NextStream(const Job& job) const;
  void Send(Job& job, OutputStream stream);
  void SendBytes(OutputStream stream, absl::StatusOr<std::string> bytes);
  void Wrote(bool room);
  void FinishWithOutcome(const Job& job);
  void Finish(const absl::Status& status, bool told);
  void Release();

  ExecCore& core_;
  // Both until the client has read all: those who do not are listed, and limited, as long.
  std::optional<rpc::Call> call_;
  std::optional<rpc::StallTimer> stall_;
  std::unique_ptr<FollowerSink> sink_;
  std::shared_ptr<Job> job_;
  std::optional<UnreadOutputs::Wait> unread_;
  std::shared_ptr<JobFollower> self_;
  Offsets sent_{};
  OutputStream last_ = OutputStream::kStderr;
  bool ends_job_ = false;
  bool awaits_start_ = false;
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

// A sink for streams of `Response`, which has `started`, `output` and `outcome`; Writer is a
// StreamWriter of it.
template <typename Response, typename Writer>
class StreamSink : public FollowerSink {
 public:
  explicit StreamSink(Writer* writer) : writer_(writer) {}
  bool WriteStarted(v1::Started started) override {
    if constexpr (requires(Response r) { r.mutable_started(); }) {
      Response response;
      *response.mutable_started() = std::move(started);
      return writer_->Write(std::move(response));
    }
    return true;
  }
  bool WriteOutput(v1::Output output) override {
    Response response;
    *response.mutable_output() = std::move(output);
    return writer_->Write(std::move(response));
  }
  bool WriteOutcome(v1::Outcome outcome) override {
    Response response;
    *response.mutable_outcome() = std::move(outcome);
    return writer_->Write(std::move(response));
  }
  void Finish(const grpc::Status& status) override { writer_->Finish(status); }

 protected:
  // Deleted by gRPC after Finish().
  Writer* const writer_;
};

}  // namespace rawgate::exec
