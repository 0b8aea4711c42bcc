#include "services/exec/exec_core.h"

#include <algorithm>
#include <filesystem>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "runtime/base/status.h"
#include "services/exec/exec_unread.h"

namespace rawgate::exec {
namespace {

constexpr absl::Duration kRetryAfter = absl::Seconds(1);
constexpr absl::Duration kDrainTimeout = absl::Seconds(1);

absl::Status NoSuchJob(absl::string_view id) {
  return Error(absl::StatusCode::kNotFound, "NO_SUCH_JOB",
               absl::StrCat("no job \"", id, "\" is known, or not any more"));
}

std::string RandomPrefix() { return absl::StrFormat("%08x", std::random_device()()); }

}  // namespace

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
  if (options.keep_last < Output::kMemoryMax)
    return bad(absl::StrCat("--keep_last_max_bytes is less than ", Output::kMemoryMax));
  return absl::OkStatus();
}

ExecCore::ExecCore(ProcessHost& host, ExecOptions options, Policy policy, observe::EventLog& events)
    : host_(host),
      options_(std::move(options)),
      events_(events),
      policy_(std::move(policy)),
      id_prefix_(RandomPrefix()),
      jobs_(std::make_shared<JobTable>(options_.history)),
      unread_(
          std::make_shared<UnreadOutputs>(options_.unread_memory_max, options_.unread_file_max)) {}

ExecCore::~ExecCore() {
  for (const std::shared_ptr<Job>& job : jobs_->Unended()) job->Abandon();
}

absl::StatusOr<std::shared_ptr<Job>> ExecCore::Start(CommandSpec spec) {
  if (absl::Status checked = CheckCommand(spec, options_.timeout_max); !checked.ok())
    return checked;
  absl::StatusOr<Permit> permit = policy_.Check(spec, spec.caller);
  if (!permit.ok()) return permit.status();
  // As it was asked for: what the rule adds may be another thing after a reload.
  const uint64_t fingerprint = FingerprintOf(spec);
  // With a terminal there is somebody in front of it.
  if (spec.timeout == absl::ZeroDuration()) {
    spec.timeout = std::min(spec.terminal ? options_.timeout_max : options_.timeout_default,
                            permit->rule->timeout_max);
  }
  if (std::shared_ptr<Job> known = jobs_->FindRequest(spec.request_id); known != nullptr) {
    if (known->fingerprint() == fingerprint && SameRun(known->permit(), *permit)) return known;
    return Error(absl::StatusCode::kAlreadyExists, "REQUEST_ID_REUSED",
                 "another command has this request_id");
  }
  if (running_ >= options_.commands_max && queue_.size() >= options_.queue_max) {
    return WithRetryAfter(Error(absl::StatusCode::kResourceExhausted, "TOO_MANY_COMMANDS",
                                absl::StrCat(running_, " commands run and ", queue_.size(),
                                             " wait; try again later")),
                          kRetryAfter);
  }
  const uint64_t number = ++last_job_;
  const std::shared_ptr<Job> job =
      jobs_->Add(std::shared_ptr<Job>(new Job(*this, number, absl::StrCat(id_prefix_, "-", number),
                                              std::move(spec), *std::move(permit), fingerprint)));
  // Those that wait go first.
  if (running_ < options_.commands_max && queue_.empty()) {
    ++running_;
    job->Run();
  } else {
    queue_.push_back(job.get());
  }
  return job;
}

absl::StatusOr<std::shared_ptr<Job>> ExecCore::Find(absl::string_view id, const Caller& caller) {
  std::shared_ptr<Job> job = jobs_->Find(id);
  if (job == nullptr) return NoSuchJob(id);
  if (job->permit().rule->IsFor(caller)) return job;
  return Error(absl::StatusCode::kPermissionDenied, "POLICY_REFUSED",
               absl::StrCat("the policy's rule \"", job->permit().rule->name,
                            "\", by which the command runs, is not for this client"));
}

absl::StatusOr<const Job*> ExecCore::Peek(absl::string_view id) {
  if (const Job* const job = jobs_->Peek(id); job != nullptr) return job;
  return NoSuchJob(id);
}

std::vector<std::shared_ptr<Job>> ExecCore::List(uint64_t before, size_t max, bool running_only) {
  return jobs_->List(before, max, running_only);
}

ProcessSpec ExecCore::MakeProcessSpec(const Job& job) const {
  const CommandSpec& spec = job.spec();
  ProcessSpec process;
  const PolicyRule& rule = *job.permit().rule;
  process.launch.argv = job.permit().argv;
  process.launch.identity = rule.identity;
  process.launch.limits = rule.limits;
  process.launch.sandbox = rule.sandbox;
  EnvironmentVariables base = BaseEnvironment(rule.identity);
  process.launch.folder = spec.folder;
  if (rule.sandbox == Sandbox::kNone) {
    if (spec.folder.empty()) process.launch.folder = options_.work_folder;
  } else {
    // That is the folder of its own, unless the request says otherwise.
    std::erase_if(base, [](const auto& variable) { return variable.first == "HOME"; });
  }
  if (spec.terminal) {
    base.emplace_back("TERM", spec.terminal_type.empty() ? "xterm-256color" : spec.terminal_type);
  }
  process.launch.environment = MakeEnvironment(base, spec.environment, job.id());
  process.launch.terminal = spec.terminal;
  process.launch.input_stays_open = spec.input_stays_open;
  if (!spec.takes_input()) process.launch.input = spec.input;
  process.timeout = spec.timeout;
  process.drain_timeout = spec.drain_timeout.value_or(kDrainTimeout);
  if (spec.keep_last) {
    process.keep_last = options_.keep_last;
    process.output_max = rule.output_max;
  } else {
    process.output_max = std::min({spec.output_max, options_.output_max, rule.output_max});
  }
  return process;
}

void ExecCore::LeaveQueue(Job& job) {
  std::erase(queue_, &job);
  ++leaving_;
  host_.Post([this, job = jobs_->Find(job.id())] {
    --leaving_;
    OnEnded(*job);
  });
}

void ExecCore::OnRan(Job& job) {
  --running_;
  RunNext();
  OnEnded(job);
}

void ExecCore::OnEnded(Job& job) {
  // Whoever is told may let it go, and the table may forget it.
  const std::shared_ptr<Job> held = jobs_->Find(job.id());
  jobs_->OnEnded(job);
  job.End();
  if (running_ > 0 || leaving_ > 0 || !queue_.empty()) return;
  for (const auto& drained : std::exchange(drained_, {})) drained();
}

void ExecCore::RunNext() {
  while (running_ < options_.commands_max && !queue_.empty()) {
    Job* const next = queue_.front();
    queue_.pop_front();
    ++running_;
    next->Run();
  }
}

void ExecCore::Drain(std::function<void()> drained) {
  if (running_ == 0 && leaving_ == 0 && queue_.empty()) return drained();
  drained_.push_back(std::move(drained));
}

void ExecCore::Cancel() {
  for (const std::shared_ptr<Job>& job : jobs_->Unended()) job->Cancel();
}

}  // namespace rawgate::exec
