// Commands as jobs: checked, queued, run, limited, and ended with exactly one outcome. What raw
// sessions and typed calls both stand on.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "runtime/net/service.h"
#include "runtime/observe/event_log.h"
#include "services/exec/exec_job.h"
#include "services/exec/exec_job_table.h"
#include "services/exec/exec_policy.h"
#include "services/exec/exec_process_host.h"

namespace rawgate::exec {

class UnreadOutputs;

struct ExecOptions {
  // Absolute. Where commands run that name no other.
  std::string work_folder = "/tmp";
  absl::Duration timeout_default = absl::Seconds(60);
  absl::Duration timeout_max = absl::Hours(1);
  uint64_t output_max = 64 << 20;
  // Running at once, and waiting for their turn.
  size_t commands_max = 64;
  size_t queue_max = 256;
  // Output of commands that have ended which clients have not read yet, all together: what is in
  // memory, and what is in files.
  uint64_t unread_memory_max = 128 << 20;
  uint64_t unread_file_max = uint64_t{4} << 30;
  // Of each stream of a command that keeps its last output.
  uint64_t keep_last = 16 << 20;
  HistoryOptions history = {};
};

// Errors: INVALID_ARGUMENT (BAD_OPTION), such as a work folder that is none.
absl::Status CheckOptions(const ExecOptions& options);

// Loop thread.
class ExecCore final : public net::Drainable {
 public:
  // `host` and `events` outlive this object.
  ExecCore(ProcessHost& host, ExecOptions options, Policy policy, observe::EventLog& events);
  // Kills what still runs; no observer is told. Jobs held by others may outlive the core, but only
  // to be destroyed.
  ~ExecCore() override;
  ExecCore(const ExecCore&) = delete;
  ExecCore& operator=(const ExecCore&) = delete;

  // Runs a command, or queues it. What has the request_id of a job that is known is that job: then
  // nothing is started. Errors: those of CheckCommand() and Policy::Check(); ALREADY_EXISTS
  // (REQUEST_ID_REUSED);
  // RESOURCE_EXHAUSTED (TOO_MANY_COMMANDS, with a time to try again).
  absl::StatusOr<std::shared_ptr<Job>> Start(CommandSpec spec);
  // For who wants its output, or to tell it something. As long as somebody holds it its output
  // stays. Errors: NOT_FOUND (NO_SUCH_JOB); PERMISSION_DENIED (POLICY_REFUSED) when the rule that
  // let it in is not for `caller`.
  absl::StatusOr<std::shared_ptr<Job>> Find(absl::string_view id, const Caller& caller);
  // Only to look at: not to be kept. Error: NOT_FOUND (NO_SUCH_JOB).
  absl::StatusOr<const Job*> Peek(absl::string_view id);
  // The newest first, of those before number `before`.
  std::vector<std::shared_ptr<Job>> List(uint64_t before, size_t max, bool running_only);

  // For commands from now on.
  void SetPolicy(Policy policy) { policy_ = std::move(policy); }
  const Policy& policy() const { return policy_; }

  // As a Drainable: what runs without a client may finish, and is ended when the time is up.
  void Drain(std::function<void()> drained) override;
  void Cancel() override;

  const ExecOptions& options() const { return options_; }
  ProcessHost& host() { return host_; }
  const std::shared_ptr<UnreadOutputs>& unread() { return unread_; }
  size_t running() const { return running_; }
  size_t waiting() const { return queue_.size(); }

 private:
  friend class Job;
  ProcessSpec MakeProcessSpec(const Job& job) const;
  void RunNext();
  // The job was cancelled before its turn came.
  void LeaveQueue(Job& job);
  // It ran, and has ended.
  void OnRan(Job& job);
  void OnEnded(Job& job);

  ProcessHost& host_;
  const ExecOptions options_;
  observe::EventLog& events_;
  Policy policy_;
  // Makes job ids unlike those of other processes.
  const std::string id_prefix_;
  uint64_t last_job_ = 0;
  size_t running_ = 0;
  const std::shared_ptr<JobTable> jobs_;
  // Those that wait, in order.
  std::deque<Job*> queue_;
  // Cancelled while they waited, and not told yet.
  size_t leaving_ = 0;
  std::vector<std::function<void()>> drained_;
  const std::shared_ptr<UnreadOutputs> unread_;
};

}  // namespace rawgate::exec
