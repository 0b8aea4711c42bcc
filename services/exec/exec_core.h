// Commands as jobs: checked, queued, run, limited, and ended with exactly one outcome. What raw
// sessions and typed calls both stand on.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "runtime/observe/event_log.h"
#include "services/exec/exec_environment.h"
#include "services/exec/exec_process.h"
#include "services/exec/exec_process_host.h"

namespace rawgate::exec {

// Of a shell command, or of all arguments together, without the NULs that end them.
inline constexpr size_t kCommandBytesMax = 64 * 1024;
inline constexpr size_t kArgumentsMax = 4096;
inline constexpr size_t kInputBytesMax = 1 << 20;

struct CommandSpec {
  // One of both: the text for /bin/sh -c, or a program with its arguments.
  std::optional<std::string> shell_command;
  std::vector<std::string> argv;
  // Absolute; empty means the configured one.
  std::string folder;
  EnvironmentVariables environment;
  // The whole of standard input.
  std::string input;
  // Zero means the configured default.
  absl::Duration timeout;
  // A caller's own limit of output beside the configured one.
  uint64_t output_max = UINT64_MAX;
  // Whose command it is, for events.
  std::string listener;
  uint64_t connection_id = 0;
};

struct Outcome {
  enum class Kind { kExited, kSignalled, kTimedOut, kCancelled, kStartFailed, kOutputLimit };
  Kind kind = Kind::kCancelled;
  // kExited: 0 to 255.
  int exit_code = 0;
  // kSignalled; for kTimedOut, kCancelled and kOutputLimit the signal that ended the command, 0 if
  // it went by itself.
  int signal = 0;
  bool core_dumped = false;
  // kTimedOut: the limit that was passed.
  absl::Duration timeout;
  // kStartFailed: the cause, also as text ("exec: No such file or directory").
  int errno_value = 0;
  std::string message;
  // kOutputLimit: bytes.
  uint64_t output_limit = 0;
  // A process that outlived the command held its output when the service stopped waiting for more.
  bool output_may_be_incomplete = false;
  absl::Time start_time;
  absl::Time end_time;
  absl::Duration duration;
  absl::Duration user_time;
  absl::Duration system_time;
  uint64_t max_resident_bytes = 0;
};

// "exited 0", "signalled KILL", "timed out".
std::string Describe(const Outcome& outcome);
// "KILL" for SIGKILL.
std::string SignalName(int signal);
// As the outcome of a request: a command that ran to its end is OK, whatever it returned.
absl::Status ToStatus(const Outcome& outcome);

class ExecCore;
class Job;
class UnreadOutputs;

// Loop thread.
class JobObserver {
 public:
  virtual ~JobObserver() = default;
  // The command runs, or could not be started: its outcome will tell. Never from within a call into
  // the core.
  virtual void OnJobStarted(Job&) {}
  // There is more in job.output(stream).
  virtual void OnJobOutput(Job&, OutputStream) {}
  // The last call: job.outcome() is there and output does not change any more. Never from within a
  // call into the core.
  virtual void OnJobEnded(Job& job) = 0;
};

// One command, from the moment it is accepted. Loop thread. Shared by the core, until it has ended,
// and by who started it.
class Job final : private ProcessObserver {
 public:
  enum class State { kQueued, kRunning, kEnded };

  const std::string& id() const { return id_; }
  State state() const { return state_; }
  // What is run, in a few words.
  std::string Summary() const;
  // 0 before it has started and when it could not be.
  pid_t pid() const;
  absl::Time start_time() const { return outcome_.start_time; }
  // Empty before the command has started.
  const Output& output(OutputStream stream) const;
  // Only when it has ended.
  const Outcome& outcome() const { return outcome_; }

  // Ends the command and its descendants, unless it has ended. The outcome comes later, and is what
  // it is.
  void Cancel();
  // Nothing is told any more: the observer goes away.
  void ForgetObserver() { observer_ = nullptr; }

 private:
  friend class ExecCore;
  Job(ExecCore& core, std::string id, CommandSpec spec, JobObserver& observer);
  void Run();
  void TellStarted();
  void OnProcessStarted(pid_t pid) override;
  void OnProcessOutput(OutputStream stream) override;
  void OnProcessEnd(const ProcessEnd& end) override;
  void SetOutcome(const ProcessEnd& end);
  void End();

  ExecCore& core_;
  const std::string id_;
  CommandSpec spec_;
  JobObserver* observer_;
  State state_ = State::kQueued;
  std::unique_ptr<Process> process_;
  Outcome outcome_;
};

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
};

// Errors: INVALID_ARGUMENT (BAD_OPTION), such as a work folder that is none.
absl::Status CheckOptions(const ExecOptions& options);

// Loop thread.
class ExecCore {
 public:
  // `host` and `events` outlive this object.
  ExecCore(ProcessHost& host, ExecOptions options, observe::EventLog& events);
  // Kills what still runs; no observer is told. Jobs held by others may outlive the core, but only
  // to be destroyed.
  ~ExecCore();
  ExecCore(const ExecCore&) = delete;
  ExecCore& operator=(const ExecCore&) = delete;

  // Runs a command, or queues it. `observer` must outlive the job or be taken from it by
  // ForgetObserver(). Errors: INVALID_ARGUMENT (NO_COMMAND, BAD_COMMAND, COMMAND_TOO_LONG,
  // BAD_WORKING_DIRECTORY, BAD_ENVIRONMENT, INPUT_TOO_LONG, BAD_TIMEOUT), each with its field;
  // RESOURCE_EXHAUSTED (TOO_MANY_COMMANDS, with a time to try again).
  absl::StatusOr<std::shared_ptr<Job>> Start(CommandSpec spec, JobObserver& observer);

  const ExecOptions& options() const { return options_; }
  ProcessHost& host() { return host_; }
  const std::shared_ptr<UnreadOutputs>& unread() { return unread_; }
  size_t running() const { return running_; }
  size_t waiting() const { return queue_.size(); }

 private:
  friend class Job;
  absl::Status Check(const CommandSpec& spec) const;
  ProcessSpec MakeProcessSpec(const Job& job) const;
  void RunNext();
  // Takes an ended job out, and lets the next one run.
  std::shared_ptr<Job> Release(Job& job, bool ran);

  ProcessHost& host_;
  const ExecOptions options_;
  observe::EventLog& events_;
  const EnvironmentVariables base_environment_;
  // Makes job ids unlike those of other processes.
  const std::string id_prefix_;
  uint64_t last_job_ = 0;
  size_t running_ = 0;
  // All that have not ended, by id; queue_ those of them that wait, in order.
  absl::flat_hash_map<std::string, std::shared_ptr<Job>> jobs_;
  std::deque<Job*> queue_;
  const std::shared_ptr<UnreadOutputs> unread_;
};

}  // namespace rawgate::exec
