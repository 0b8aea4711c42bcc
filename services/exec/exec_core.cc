#include "services/exec/exec_core.h"

#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <random>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "runtime/base/status.h"
#include "services/exec/exec_unread.h"

namespace rawgate::exec {
namespace {

constexpr absl::Duration kRetryAfter = absl::Seconds(1);

bool HasNul(absl::string_view text) { return absl::StrContains(text, '\0'); }

absl::Status CheckText(const CommandSpec& spec) {
  const auto too_long = [](absl::string_view field) {
    return FieldError(field, "COMMAND_TOO_LONG",
                      absl::StrCat("the command is longer than ", kCommandBytesMax, " bytes"));
  };
  if (spec.shell_command) {
    if (spec.shell_command->size() > kCommandBytesMax) return too_long("shell_command");
    if (HasNul(*spec.shell_command))
      return FieldError("shell_command", "BAD_COMMAND", "the command has a NUL in it");
    return absl::OkStatus();
  }
  if (spec.argv.empty() || spec.argv.front().empty()) {
    return FieldError("command", "NO_COMMAND", "no command; give a shell_command or argv");
  }
  size_t bytes = 0;
  for (size_t i = 0; i < spec.argv.size(); ++i) {
    bytes += spec.argv[i].size();
    if (bytes > kCommandBytesMax || i == kArgumentsMax) return too_long("argv");
    if (HasNul(spec.argv[i])) {
      return FieldError(absl::StrFormat("argv.arguments[%d]", i), "BAD_COMMAND",
                        "the argument has a NUL in it");
    }
  }
  return absl::OkStatus();
}

std::string RandomPrefix() { return absl::StrFormat("%08x", std::random_device()()); }

}  // namespace

std::string SignalName(int signal) {
  const char* name = sigabbrev_np(signal);
  return name != nullptr ? name : absl::StrCat("RT", signal);
}

std::string Describe(const Outcome& outcome) {
  switch (outcome.kind) {
    case Outcome::Kind::kExited:
      return absl::StrCat("exited ", outcome.exit_code);
    case Outcome::Kind::kSignalled:
      return absl::StrCat("signalled ", SignalName(outcome.signal));
    case Outcome::Kind::kTimedOut:
      return "timed out";
    case Outcome::Kind::kCancelled:
      return "cancelled";
    case Outcome::Kind::kStartFailed:
      return absl::StrCat("start failed: ", outcome.message);
    case Outcome::Kind::kOutputLimit:
      break;
  }
  return "output limit";
}

absl::Status ToStatus(const Outcome& outcome) {
  switch (outcome.kind) {
    case Outcome::Kind::kExited:
    case Outcome::Kind::kSignalled:
      return absl::OkStatus();
    case Outcome::Kind::kTimedOut:
      return Error(
          absl::StatusCode::kDeadlineExceeded, "TIMED_OUT",
          absl::StrCat("the command ran longer than ", absl::FormatDuration(outcome.timeout)));
    case Outcome::Kind::kCancelled:
      return Error(absl::StatusCode::kCancelled, "CANCELLED", "the command was cancelled");
    case Outcome::Kind::kStartFailed:
      return Error(absl::StatusCode::kFailedPrecondition, "START_FAILED", outcome.message);
    case Outcome::Kind::kOutputLimit:
      break;
  }
  return Error(absl::StatusCode::kResourceExhausted, "OUTPUT_LIMIT",
               absl::StrCat("the command wrote more than ", outcome.output_limit, " bytes"));
}

// ---- Job

Job::Job(ExecCore& core, std::string id, CommandSpec spec, JobObserver& observer)
    : core_(core), id_(std::move(id)), spec_(std::move(spec)), observer_(&observer) {}

std::string Job::Summary() const {
  return spec_.shell_command ? *spec_.shell_command : absl::StrJoin(spec_.argv, " ");
}

pid_t Job::pid() const { return process_ == nullptr ? 0 : process_->pid(); }

const Output& Job::output(OutputStream stream) const {
  static const Output kNone;
  return process_ == nullptr ? kNone : process_->output(stream);
}

void Job::Run() {
  state_ = State::kRunning;
  ++core_.running_;
  outcome_.start_time = absl::Now();
  process_ = core_.host_.Start(core_.MakeProcessSpec(*this), *this);
  // What only the start needed, up to a megabyte of it.
  std::string().swap(spec_.input);
  spec_.environment.clear();
}

void Job::TellStarted() {
  core_.events_.Record(spec_.listener, spec_.connection_id, [this] {
    return observe::CommandStarted{id_, pid(), observe::Summary(Summary())};
  });
  if (observer_ != nullptr) observer_->OnJobStarted(*this);
}

void Job::OnProcessStarted(pid_t) { TellStarted(); }

void Job::Cancel() {
  if (state_ == State::kRunning) return process_->End(EndCause::kCancelled);
  if (state_ == State::kEnded) return;
  state_ = State::kEnded;
  std::erase(core_.queue_, this);
  outcome_.start_time = outcome_.end_time = absl::Now();
  core_.host_.Post([self = core_.jobs_.at(id_)] {
    if (self->core_.Release(*self, /*ran=*/false) != nullptr) self->End();
  });
}

void Job::OnProcessOutput(OutputStream stream) {
  if (observer_ != nullptr) observer_->OnJobOutput(*this, stream);
}

void Job::OnProcessEnd(const ProcessEnd& end) {
  if (pid() == 0) TellStarted();
  state_ = State::kEnded;
  SetOutcome(end);
  core_.events_.Record(spec_.listener, spec_.connection_id, [this] {
    return observe::CommandEnded{id_, Describe(outcome_), outcome_.duration};
  });
  const std::shared_ptr<Job> self = core_.Release(*this, /*ran=*/true);
  End();
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
    outcome_.output_limit = std::min(spec_.output_max, core_.options_.output_max);
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
  if (observer_ != nullptr) std::exchange(observer_, nullptr)->OnJobEnded(*this);
}

// ---- ExecCore

absl::Status CheckOptions(const ExecOptions& options) {
  const auto bad = [](absl::string_view message) {
    return Error(absl::StatusCode::kInvalidArgument, "BAD_OPTION", message);
  };
  std::error_code ignored;
  if (options.work_folder.empty() || options.work_folder.front() != '/' ||
      !std::filesystem::is_directory(options.work_folder, ignored)) {
    return bad(
        absl::StrCat("--work_dir=", options.work_folder, " is not the absolute path of a folder"));
  }
  if (options.timeout_default <= absl::ZeroDuration())
    return bad("--command_timeout is not positive");
  if (options.timeout_max < options.timeout_default)
    return bad("--command_timeout_max is less than --command_timeout");
  if (options.commands_max == 0) return bad("--commands_max is 0: no command could run");
  return absl::OkStatus();
}

ExecCore::ExecCore(ProcessHost& host, ExecOptions options, observe::EventLog& events)
    : host_(host),
      options_(std::move(options)),
      events_(events),
      base_environment_(BaseEnvironment(host.identity())),
      id_prefix_(RandomPrefix()),
      unread_(
          std::make_shared<UnreadOutputs>(options_.unread_memory_max, options_.unread_file_max)) {}

ExecCore::~ExecCore() {
  for (const auto& [id, job] : jobs_) {
    job->observer_ = nullptr;
    job->state_ = Job::State::kEnded;
    job->process_.reset();
  }
}

absl::Status ExecCore::Check(const CommandSpec& spec) const {
  if (absl::Status text = CheckText(spec); !text.ok()) return text;
  if (!spec.folder.empty() && (spec.folder.front() != '/' || HasNul(spec.folder))) {
    return FieldError("working_directory", "BAD_WORKING_DIRECTORY",
                      "the working folder is not an absolute path");
  }
  if (spec.input.size() > kInputBytesMax) {
    return FieldError("stdin", "INPUT_TOO_LONG",
                      absl::StrCat("standard input is longer than ", kInputBytesMax, " bytes"));
  }
  if (spec.timeout < absl::ZeroDuration() || spec.timeout > options_.timeout_max) {
    return FieldError("timeout", "BAD_TIMEOUT",
                      absl::StrCat("the timeout is not between 0 and ",
                                   absl::FormatDuration(options_.timeout_max)));
  }
  return CheckEnvironment(spec.environment);
}

absl::StatusOr<std::shared_ptr<Job>> ExecCore::Start(CommandSpec spec, JobObserver& observer) {
  if (absl::Status checked = Check(spec); !checked.ok()) return checked;
  if (running_ >= options_.commands_max && queue_.size() >= options_.queue_max) {
    return WithRetryAfter(Error(absl::StatusCode::kResourceExhausted, "TOO_MANY_COMMANDS",
                                absl::StrCat(running_, " commands run and ", queue_.size(),
                                             " wait; try again later")),
                          kRetryAfter);
  }
  if (spec.timeout == absl::ZeroDuration())
    spec.timeout = std::min(options_.timeout_default, options_.timeout_max);
  if (spec.folder.empty()) spec.folder = options_.work_folder;
  const std::shared_ptr<Job> job(
      new Job(*this, absl::StrCat(id_prefix_, "-", ++last_job_), std::move(spec), observer));
  jobs_.emplace(job->id(), job);
  // Those that wait go first.
  if (running_ < options_.commands_max && queue_.empty()) {
    job->Run();
  } else {
    queue_.push_back(job.get());
  }
  return job;
}

ProcessSpec ExecCore::MakeProcessSpec(const Job& job) const {
  const CommandSpec& spec = job.spec_;
  ProcessSpec process;
  process.launch.argv = spec.shell_command
                            ? std::vector<std::string>{"/bin/sh", "-c", *spec.shell_command}
                            : spec.argv;
  process.launch.environment = MakeEnvironment(base_environment_, spec.environment, job.id_);
  process.launch.folder = spec.folder;
  process.launch.input = spec.input;
  process.timeout = spec.timeout;
  process.output_max = std::min(spec.output_max, options_.output_max);
  return process;
}

std::shared_ptr<Job> ExecCore::Release(Job& job, bool ran) {
  auto node = jobs_.extract(job.id_);
  if (ran) {
    --running_;
    RunNext();
  }
  return node.empty() ? nullptr : std::move(node.mapped());
}

void ExecCore::RunNext() {
  while (running_ < options_.commands_max && !queue_.empty()) {
    Job* const next = queue_.front();
    queue_.pop_front();
    next->Run();
  }
}

}  // namespace rawgate::exec
