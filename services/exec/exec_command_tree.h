// A command with everything that it started: run by a launcher, and ended as a whole.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <chrono>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "services/exec/exec_launcher_process.h"
#include "services/exec/exec_process_resources.h"
#include "services/exec/exec_process_tree.h"

namespace rawgate::exec {

// Loop thread. Goes away with its owner; then what is left of the command is killed by its
// launcher.
class CommandTree final : public std::enable_shared_from_this<CommandTree>,
                          private LauncherProcess::Client {
 public:
  // Loop thread, never from within a call into the CommandTree. Any of these may destroy it.
  class Events {
   public:
    virtual ~Events() = default;
    virtual void OnStarted() = 0;
    // The command's program never ran. The last call.
    virtual void OnStartFailed(const LaunchFailure& failure) = 0;
    // The command itself has ended: as of wait4(2).
    virtual void OnExited(int wait_status, const rusage& usage) = 0;
    // Nothing is left, or what is left hangs in the kernel and is given up. The last call, after
    // OnExited().
    virtual void OnGone() = 0;
  };

  CommandTree(ProcessResources& resources, Events& events);
  ~CommandTree() override;

  // The value is an errno; then nothing will happen.
  int Start(const Launch& launch, const CommandStreams& streams);
  // SIGTERM to all, a grace, SIGKILL.
  void End();
  bool ending() const { return ending_; }
  // 0 before OnStarted().
  pid_t pid() const { return pid_; }

 private:
  void OnLauncherReport(const LauncherReport& report) override;
  void OnLauncherLost() override;
  void StartRound();
  void OnRound(const std::vector<ProcessRow>& rows);
  void Sweep();
  void AfterPause(void (CommandTree::*next)());
  void StartKilling();
  void GiveUp();
  void Exited(int wait_status, const rusage& usage);
  // To its launcher, which goes on killing if there is anything to kill.
  void Leave();

  ProcessResources& resources_;
  Events& events_;
  std::shared_ptr<LauncherProcess> launcher_;
  pid_t pid_ = 0;
  bool exited_ = false;
  bool ending_ = false;
  Timer pause_;
  std::chrono::milliseconds pause_length_;
  absl::Time patience_end_;
  Signalled signalled_;
};

}  // namespace rawgate::exec
