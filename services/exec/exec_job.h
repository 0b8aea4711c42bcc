// One command, from the moment it is accepted until nobody wants to know of it any more.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/exec/exec_command.h"
#include "services/exec/exec_outcome.h"
#include "services/exec/exec_policy.h"
#include "services/exec/exec_process.h"

namespace rawgate::exec {

class ExecCore;
class Job;

// Loop thread. Never called from within a call into the core or a job.
class JobObserver {
 public:
  virtual ~JobObserver() = default;
  // The command runs, or could not be started: its outcome will tell.
  virtual void OnJobStarted(Job&) {}
  // There is more in job.output(stream).
  virtual void OnJobOutput(Job&, OutputStream) {}
  // job.outcome() is there and output does not change any more. The last call; the job has
  // forgotten the observer.
  virtual void OnJobEnded(Job& job) = 0;
  // The first byte of a stream that this observer still wants; ~0: none. See
  // Job::ObserverReadOn().
  virtual uint64_t Needs(OutputStream) const { return UINT64_MAX; }
  // Whether the job ends with it.
  virtual bool OwnsJob() const { return true; }
};

// Loop thread. Shared by the core, as long as it lists it, and by who started it or follows it.
class Job final : private ProcessObserver {
 public:
  enum class State { kQueued, kRunning, kEnded };

  const std::string& id() const { return id_; }
  // Grows with every job of this process.
  uint64_t number() const { return number_; }
  State state() const { return state_; }
  // Once it has started, without what only the start needed: command, environment, input.
  const CommandSpec& spec() const { return spec_; }
  // By what it was let in.
  const Permit& permit() const { return permit_; }
  uint64_t fingerprint() const { return fingerprint_; }
  // What is run, in a few words.
  const std::string& summary() const { return summary_; }
  // 0 before it runs and when it could not be started.
  pid_t pid() const { return pid_; }
  absl::Time start_time() const { return outcome_.start_time; }
  // Empty before the command has started, and when it was let go.
  const Output& output(OutputStream stream) const;
  // Bytes that were written, kept or not, and the first that is kept.
  uint64_t output_size(OutputStream stream) const;
  uint64_t kept_from(OutputStream stream) const;
  // Only when it has ended.
  const Outcome& outcome() const { return outcome_; }
  bool takes_input() const;

  // Ends the command and its descendants, unless it has ended. The outcome comes later, and is what
  // it is.
  void Cancel();

  // `observer` outlives the job or is removed. It is told what comes from now on.
  void AddObserver(JobObserver& observer);
  void RemoveObserver(JobObserver& observer);
  // Whether another observer than `observer` owns the job.
  bool HasOtherOwner(const JobObserver& observer) const;
  // What some observer needs has changed.
  void ObserverReadOn();

  // `done` is called later. Errors: see CommandInput; FAILED_PRECONDITION (JOB_ENDED,
  // JOB_QUEUED).
  using Done = std::function<void(const absl::Status&)>;
  void WriteInput(std::string bytes, bool end, std::optional<uint64_t> offset, Done done);
  // Bytes of input that were taken.
  uint64_t input_size() const;
  // To all processes of the command, or to its first. Errors: FAILED_PRECONDITION (JOB_ENDED,
  // JOB_QUEUED).
  void Signal(int signal, bool all, Done done);
  // Errors: FAILED_PRECONDITION (JOB_ENDED, JOB_QUEUED, NO_TERMINAL).
  absl::Status Resize(WindowSize size);

 private:
  friend class ExecCore;
  friend class JobTable;
  Job(ExecCore& core, uint64_t number, std::string id, CommandSpec spec, Permit permit,
      uint64_t fingerprint);
  void Run();
  // The core goes away.
  void Abandon();
  // Only what was said about the command is kept.
  void LetOutputGo();
  absl::Status CheckRunning() const;
  void ForgetStart();
  void TellStarted();
  void OnProcessStarted(pid_t pid) override;
  void OnProcessOutput(OutputStream stream) override;
  void OnProcessEnd(const ProcessEnd& end) override;
  void SetOutcome(const ProcessEnd& end);
  void End();

  ExecCore& core_;
  const uint64_t number_;
  const std::string id_;
  CommandSpec spec_;
  Permit permit_;
  const uint64_t fingerprint_;
  const std::string summary_;
  std::vector<JobObserver*> observers_;
  State state_ = State::kQueued;
  pid_t pid_ = 0;
  std::unique_ptr<Process> process_;
  // Of output that was let go.
  std::array<uint64_t, 2> sizes_{};
  Outcome outcome_;
};

}  // namespace rawgate::exec
