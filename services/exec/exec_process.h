// One command as the operating system sees it: started, its output captured, limited in time, and
// ended with everything that descends from it. No event loop in this header: who uses it need not
// know of one.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "services/exec/exec_input.h"
#include "services/exec/exec_launch.h"
#include "services/exec/exec_output.h"

namespace rawgate::exec {

enum class OutputStream { kStdout, kStderr };

struct ProcessSpec {
  Launch launch;
  absl::Duration timeout;
  // Both streams together.
  uint64_t output_max = 0;
  // Of each stream, beside what readers need; ~0: all is kept.
  uint64_t keep_last = UINT64_MAX;
  // How long output is awaited from descendants after the command itself has ended.
  absl::Duration drain_timeout = absl::Seconds(1);
};

// Why a command was ended, if it was.
enum class EndCause { kNone, kTimeout, kOutputLimit, kCancelled };

struct ProcessEnd {
  // errno_value is 0 when the command's program did run.
  LaunchFailure failure{LaunchStage::kSpawn, 0};
  EndCause cause = EndCause::kNone;
  // As of wait4(2), for the command itself and all that it waited for.
  int wait_status = 0;
  rusage usage{};
  // When the command itself ended, and how long it ran.
  absl::Time time;
  absl::Duration duration;
  // Something still held an output stream open when it was given up.
  bool output_may_be_incomplete = false;
};

// Loop thread; never called from within a call into Process.
class ProcessObserver {
 public:
  virtual ~ProcessObserver() = default;
  // The command's program runs. Does not come when it could not be started.
  virtual void OnProcessStarted(pid_t pid) = 0;
  // There is more in the stream's Output.
  virtual void OnProcessOutput(OutputStream stream) = 0;
  // The command and all of its descendants are gone and its output is complete. The last call.
  virtual void OnProcessEnd(const ProcessEnd& end) = 0;
};

class ProcessResources;

// Loop thread. Made by ProcessHost.
class Process {
 public:
  // Leaves what is left of the command to its launcher, which kills it. No call to the observer
  // follows.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // 0 before the command runs, and when it could not be started.
  pid_t pid() const;
  const Output& output(OutputStream stream) const;
  // Where to send input; null when it was whole from the start.
  CommandInput* input() const;
  bool has_terminal() const;
  // The command runs, and has a terminal. The value is an errno.
  int Resize(WindowSize size);
  // To the command and its descendants, or to its first process. `sent` is called later, unless
  // this object is gone then. The command runs.
  void Signal(int signal, bool all, std::function<void()> sent);
  // The first byte of a stream that a reader has not read, see Capture.
  void SetNeeded(OutputStream stream, uint64_t offset);
  // Ends the command and its descendants: SIGTERM, a grace, SIGKILL. Output of it may still be
  // captured meanwhile, but after kCancelled.
  void End(EndCause cause);

 private:
  friend class ProcessHost;
  class Impl;
  static std::unique_ptr<Process> Start(ProcessResources& resources, const ProcessSpec& spec,
                                        ProcessObserver& observer);
  explicit Process(std::shared_ptr<Impl> impl);
  // Also owned by what is pending in the loop.
  std::shared_ptr<Impl> impl_;
};

}  // namespace rawgate::exec
