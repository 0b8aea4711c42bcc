#include "services/exec/exec_follow_servicer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/rpc/proto_time.h"
#include "runtime/rpc/server.h"
#include "services/exec/exec_proto_servicer.h"

namespace rawgate::exec {
JobFollower::JobFollower(ExecCore& core, rpc::Call call, absl::Duration stall_timeout)
    : core_(core), call_(std::move(call)) {
  stall_.emplace(*call_, stall_timeout);
}

void JobFollower::ListenToCall() {
  call_->OnEndRequested([self = shared_from_this()](const absl::Status& why) {
    self->core_.host().Post([self, why] { self->OnEndRequested(why); });
  });
}

void JobFollower::Post(void (JobFollower::*reaction)()) {
  core_.host().Post([self = shared_from_this(), reaction] { (self.get()->*reaction)(); });
}

void JobFollower::AwaitStart() {
  awaits_start_ = true;
  stall_->AwaitClient();
}

void JobFollower::Start(absl::StatusOr<CommandSpec> spec, bool ends_job) {
  if (finished_) return;
  if (std::exchange(awaits_start_, false)) stall_->ClientDid();
  absl::Status refused = spec.status();
  if (spec.ok() && cancelled_) refused = absl::CancelledError("the caller has gone");
  refused.Update(end_requested_);
  if (!refused.ok()) return Finish(refused, /*told=*/false);
  ends_job_ = ends_job;
  spec->connection_id = call_->id();
  spec->caller = CallerOf(*call_);
  auto started = core_.Start(*std::move(spec));
  if (!started.ok()) return Finish(started.status(), /*told=*/false);
  Follow(*std::move(started));
}

void JobFollower::Attach(const std::string& job_id,
                         std::function<absl::StatusOr<Offsets>(const Job&)> attached) {
  absl::StatusOr<std::shared_ptr<Job>> job = core_.Find(job_id, CallerOf(*call_));
  absl::Status refused = job.status();
  refused.Update(end_requested_);
  if (!refused.ok()) return Finish(refused, /*told=*/false);
  const absl::StatusOr<Offsets> offsets = attached(**job);
  if (!offsets.ok()) return Finish(offsets.status(), /*told=*/false);
  sent_ = *offsets;
  started_ = true;
  Follow(*std::move(job));
}

// It may have started before, and ended too, when it is attached to or asked for again.
void JobFollower::Follow(std::shared_ptr<Job> job) {
  job_ = std::move(job);
  for (const OutputStream stream : {OutputStream::kStdout, OutputStream::kStderr}) {
    uint64_t& sent = sent_[static_cast<size_t>(stream)];
    sent = std::max(sent, job_->kept_from(stream));
  }
  const bool ended = job_->state() == Job::State::kEnded;
  if (!ended) {
    self_ = shared_from_this();
    job_->AddObserver(*this);
  }
  if (!started_ && (ended || job_->pid() != 0)) OnJobStarted(*job_);
  if (ended) return OnJobEnded(*job_);
  Pump(*job_);
}

void JobFollower::OnJobStarted(Job& job) {
  if (std::exchange(started_, true)) return;
  v1::Started started;
  started.set_job_id(job.id());
  started.set_pid(job.pid());
  *started.mutable_start_time() = rpc::ToProto(job.start_time());
  if (!finished_) Wrote(sink_->WriteStarted(std::move(started)));
}

void JobFollower::OnJobOutput(Job& job, OutputStream) { Pump(job); }

void JobFollower::OnJobEnded(Job& job) {
  ended_ = true;
  if (!finished_) unread_.emplace(core_.unread(), job, [this] { GiveUp(); });
  const auto self = std::exchange(self_, nullptr);
  Pump(job);
}

void JobFollower::OnRoom() {
  room_ = true;
  // The last messages are the client's to read however many they are.
  if (!finished_) stall_->ClientDid();
  if (unread_) unread_->ClientDid();
  if (job_ != nullptr) Pump(*job_);
}

void JobFollower::OnCancel() {
  cancelled_ = true;
  room_ = true;
  if (job_ == nullptr) return;
  LeaveJob();
}

// The command ends, and the client learns how, as if it had asked for that itself; but all output
// is still sent, to a client who reads. One that does not end with this call goes on without it.
void JobFollower::OnEndRequested(const absl::Status& why) {
  end_requested_ = why;
  if (awaits_start_) return Finish(why, /*told=*/false);
  if (job_ != nullptr) LeaveJob();
}

void JobFollower::LeaveJob() {
  // Somebody who asked for it again may still want it.
  if (ends_job_ && !job_->HasOtherOwner(*this)) {
    job_->Cancel();
    if (cancelled_) Pump(*job_);
    return;
  }
  if (!finished_)
    Finish(cancelled_ ? absl::CancelledError("the caller has gone") : end_requested_,
           /*told=*/false);
}

void JobFollower::Fail(const absl::Status& why) {
  if (finished_) return;
  if (job_ != nullptr && ends_job_) job_->Cancel();
  Finish(why, /*told=*/false);
}

void JobFollower::GiveUp() {
  const auto self = shared_from_this();
  Finish(WithRetryAfter(Error(absl::StatusCode::kResourceExhausted, "OUTPUT_NOT_READ",
                              "others needed the room that the unread output took"),
                        absl::Seconds(1)),
         /*told=*/false);
}

// Sends what there is while there is room, one stream and the other by turns.
void JobFollower::Pump(Job& job) {
  while (room_ && !reading_ && !finished_) {
    const std::optional<OutputStream> stream = cancelled_ ? std::nullopt : NextStream(job);
    if (!stream) break;
    Send(job, *stream);
  }
  if (ended_ && !reading_ && !finished_ && (cancelled_ || (room_ && !NextStream(job))))
    FinishWithOutcome(job);
}

std::optional<OutputStream> JobFollower::NextStream(const Job& job) const {
  const OutputStream first =
      last_ == OutputStream::kStdout ? OutputStream::kStderr : OutputStream::kStdout;
  for (const OutputStream stream : {first, last_}) {
    if (sent_[static_cast<size_t>(stream)] < job.output(stream).size()) return stream;
  }
  return std::nullopt;
}

void JobFollower::Send(Job& job, OutputStream stream) {
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

void JobFollower::SendBytes(OutputStream stream, absl::StatusOr<std::string> bytes) {
  if (!bytes.ok()) return Fail(bytes.status());
  uint64_t& sent = sent_[static_cast<size_t>(stream)];
  v1::Output output;
  output.set_stream(ToProto(stream));
  output.set_offset(sent);
  sent += bytes->size();
  call_->CountSent(bytes->size());
  output.set_data(*std::move(bytes));
  Wrote(sink_->WriteOutput(std::move(output)));
  job_->ObserverReadOn();
}

void JobFollower::Wrote(bool room) {
  if (room) return;
  room_ = false;
  stall_->AwaitClient();
}

void JobFollower::FinishWithOutcome(const Job& job) {
  // Its turn never came: nothing ran, and to say so lets the client try elsewhere.
  if (!started_ && !end_requested_.ok()) return Finish(end_requested_, /*told=*/false);
  if (!started_) OnJobStarted(*job_);
  Wrote(sink_->WriteOutcome(ToProto(job)));
  // A client who was asked in vain to take the outcome has been cut off.
  const bool cut_off = cancelled_ && !end_requested_.ok();
  Finish(cut_off ? end_requested_ : ToStatus(job.outcome()), /*told=*/!cut_off);
}

// `told`: the client has the outcome as a message, and the call itself went well.
void JobFollower::Finish(const absl::Status& status, bool told) {
  if (std::exchange(finished_, true)) return;
  const grpc::Status ended = call_->End(status);
  stall_->AwaitClient();
  sink_->Finish(told ? grpc::Status::OK : ended);
  // However slowly the client reads what is on its way.
  unread_.reset();
  if (job_ == nullptr) return;
  // One that has not ended is told no more; but one that ends with this call is waited for by
  // nobody else than its core.
  if (!ended_) job_->RemoveObserver(*this);
  job_.reset();
  core_.host().Post([self = std::exchange(self_, nullptr)] {});
}

// The client has read all, or is gone. After Finish(), so that nothing else touches these.
void JobFollower::Release() {
  stall_.reset();
  call_.reset();
}

}  // namespace rawgate::exec
