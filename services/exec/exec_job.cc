#include "services/exec/exec_job.h"

#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "runtime/base/status.h"
#include "services/exec/exec_core.h"

namespace rawgate::exec {

Job::Job(ExecCore& core, uint64_t number, std::string id, CommandSpec spec, Permit permit,
         uint64_t fingerprint)
    : core_(core),
      number_(number),
      id_(std::move(id)),
      spec_(std::move(spec)),
      permit_(std::move(permit)),
      fingerprint_(fingerprint),
      summary_(observe::Summary(spec_.shell_command ? *spec_.shell_command
                                                    : absl::StrJoin(spec_.argv, " "))) {}

const Output& Job::output(OutputStream stream) const {
  static const Output kNone;
  return process_ == nullptr ? kNone : process_->output(stream);
}

uint64_t Job::output_size(OutputStream stream) const {
  return process_ == nullptr ? sizes_[static_cast<size_t>(stream)] : output(stream).size();
}

uint64_t Job::kept_from(OutputStream stream) const {
  return process_ == nullptr ? sizes_[static_cast<size_t>(stream)] : output(stream).kept_from();
}

bool Job::takes_input() const {
  return state_ == State::kRunning && process_->input() != nullptr && process_->input()->open();
}

void Job::Run() {
  state_ = State::kRunning;
  outcome_.start_time = absl::Now();
  process_ = core_.host().Start(core_.MakeProcessSpec(*this), *this);
  ObserverReadOn();
  if (spec_.takes_input() && !spec_.input.empty() && process_->input() != nullptr) {
    process_->input()->Write(spec_.input, /*end=*/false, std::nullopt, [](const absl::Status&) {});
  }
  ForgetStart();
}

// Up to a megabyte of it, in each of thousands of jobs.
void Job::ForgetStart() {
  spec_.shell_command.reset();
  std::vector<std::string>().swap(spec_.argv);
  std::vector<std::string>().swap(permit_.argv);
  EnvironmentVariables().swap(spec_.environment);
  std::string().swap(spec_.input);
  std::string().swap(spec_.folder);
}

void Job::TellStarted() {
  core_.events_.Record(spec_.listener, spec_.connection_id, [this] {
    return observe::CommandStarted{id_, pid(), summary_};
  });
  const std::vector<JobObserver*> observers = observers_;
  for (JobObserver* const observer : observers) observer->OnJobStarted(*this);
}

void Job::OnProcessStarted(pid_t pid) {
  pid_ = pid;
  TellStarted();
}

void Job::Cancel() {
  if (state_ == State::kRunning) return process_->End(EndCause::kCancelled);
  if (state_ == State::kEnded) return;
  state_ = State::kEnded;
  outcome_.start_time = outcome_.end_time = absl::Now();
  ForgetStart();
  core_.LeaveQueue(*this);
}

void Job::AddObserver(JobObserver& observer) {
  observers_.push_back(&observer);
  ObserverReadOn();
}

void Job::RemoveObserver(JobObserver& observer) {
  std::erase(observers_, &observer);
  ObserverReadOn();
}

bool Job::HasOtherOwner(const JobObserver& observer) const {
  return std::any_of(observers_.begin(), observers_.end(), [&](const JobObserver* other) {
    return other != &observer && other->OwnsJob();
  });
}

void Job::ObserverReadOn() {
  if (process_ == nullptr || !spec_.keep_last) return;
  for (const OutputStream stream : {OutputStream::kStdout, OutputStream::kStderr}) {
    uint64_t needed = UINT64_MAX;
    for (const JobObserver* const observer : observers_)
      needed = std::min(needed, observer->Needs(stream));
    process_->SetNeeded(stream, needed);
  }
}

absl::Status Job::CheckRunning() const {
  if (state_ == State::kRunning) return absl::OkStatus();
  return state_ == State::kQueued
             ? Error(absl::StatusCode::kFailedPrecondition, "JOB_QUEUED",
                     "the command waits for its turn")
             : Error(absl::StatusCode::kFailedPrecondition, "JOB_ENDED", "the command has ended");
}

void Job::WriteInput(std::string bytes, bool end, std::optional<uint64_t> offset, Done done) {
  absl::Status refusal = CheckRunning();
  if (refusal.ok() && process_->input() == nullptr) refusal = StdinClosed();
  if (!refusal.ok()) return core_.host().Post([done = std::move(done), refusal] { done(refusal); });
  process_->input()->Write(std::move(bytes), end, offset, std::move(done));
}

uint64_t Job::input_size() const {
  return process_ == nullptr || process_->input() == nullptr ? 0 : process_->input()->size();
}

void Job::Signal(int signal, bool all, Done done) {
  absl::Status refusal = CheckRunning();
  if (refusal.ok() && pid() == 0)
    refusal = Error(absl::StatusCode::kFailedPrecondition, "JOB_QUEUED", "the command is starting");
  if (!refusal.ok()) return core_.host().Post([done = std::move(done), refusal] { done(refusal); });
  process_->Signal(signal, all, [done = std::move(done)] { done(absl::OkStatus()); });
}

absl::Status Job::Resize(WindowSize size) {
  if (absl::Status running = CheckRunning(); !running.ok()) return running;
  if (!process_->has_terminal()) {
    return Error(absl::StatusCode::kFailedPrecondition, "NO_TERMINAL",
                 "the command has no terminal");
  }
  const int error = process_->Resize(size);
  if (error == ENOTTY) {
    return Error(absl::StatusCode::kFailedPrecondition, "NO_TERMINAL",
                 "the command has closed its terminal");
  }
  return error == 0 ? absl::OkStatus() : ErrnoError(error, "window size");
}

void Job::OnProcessOutput(OutputStream stream) {
  const std::vector<JobObserver*> observers = observers_;
  for (JobObserver* const observer : observers) observer->OnJobOutput(*this, stream);
}

void Job::OnProcessEnd(const ProcessEnd& end) {
  if (pid() == 0) TellStarted();
  state_ = State::kEnded;
  SetOutcome(end);
  core_.events_.Record(spec_.listener, spec_.connection_id, [this] {
    return observe::CommandEnded{id_, Describe(outcome_), outcome_.duration};
  });
  core_.OnRan(*this);
}

void Job::SetOutcome(const ProcessEnd& end) {
  using Kind = Outcome::Kind;
  const bool exited = WIFEXITED(end.wait_status);
  outcome_.exit_code = exited ? WEXITSTATUS(end.wait_status) : 0;
  outcome_.signal = WIFSIGNALED(end.wait_status) ? WTERMSIG(end.wait_status) : 0;
  outcome_.core_dumped = WIFSIGNALED(end.wait_status) && WCOREDUMP(end.wait_status);
  if (end.failure.errno_value != 0) {
    outcome_.kind = Kind::kStartFailed;
    outcome_.errno_value = end.failure.errno_value;
    outcome_.message = DescribeLaunchFailure(end.failure);
  } else if (end.cause == EndCause::kTimeout) {
    outcome_.kind = Kind::kTimedOut;
    outcome_.timeout = spec_.timeout;
  } else if (end.cause == EndCause::kOutputLimit) {
    outcome_.kind = Kind::kOutputLimit;
    outcome_.output_limit =
        std::min({spec_.output_max, core_.options_.output_max, permit_.rule->output_max});
  } else if (end.cause == EndCause::kCancelled) {
    outcome_.kind = Kind::kCancelled;
  } else {
    outcome_.kind = exited ? Kind::kExited : Kind::kSignalled;
  }
  outcome_.output_may_be_incomplete = end.output_may_be_incomplete;
  outcome_.end_time = end.time;
  outcome_.duration = end.duration;
  outcome_.user_time = absl::DurationFromTimeval(end.usage.ru_utime);
  outcome_.system_time = absl::DurationFromTimeval(end.usage.ru_stime);
  outcome_.max_resident_bytes = static_cast<uint64_t>(end.usage.ru_maxrss) * 1024;
}

void Job::End() {
  for (JobObserver* const observer : std::exchange(observers_, {})) observer->OnJobEnded(*this);
}

void Job::Abandon() {
  observers_.clear();
  state_ = State::kEnded;
  process_.reset();
}

void Job::LetOutputGo() {
  for (const OutputStream stream : {OutputStream::kStdout, OutputStream::kStderr})
    sizes_[static_cast<size_t>(stream)] = output_size(stream);
  process_.reset();
}

}  // namespace rawgate::exec
