// A command with everything that it started: run by a launcher, and ended as a whole.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

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
  // SIGTERM to all, a grace, SIGKILL. With a terminal, SIGHUP first: a shell that talks to a user
  // ignores SIGTERM.
  void End();
  // To all, or to the first process alone. `sent` is called later, if this object is still there.
  // After OnStarted().
  void Signal(int signal, bool all, std::function<void()> sent);
  bool ending() const { return ending_; }
  // 0 before OnStarted().
  pid_t pid() const { return pid_; }

 private:
  void OnLauncherReport(const LauncherReport& report) override;
  void OnLauncherLost() override;
  void ReadProcessesThen(std::function<void(const std::vector<ProcessRow>&)> next);
  void StartRound();
  void OnRound(const std::vector<ProcessRow>& rows);
  void Sweep();
  void AfterPause(void (CommandTree::*next)());
  void StartKilling();
  std::chrono::milliseconds KillPatience() const;
  void KillLauncher();
  void GiveUp();
  // Runs `next` unless the tree has gone by then.
  void After(Timer& timer, std::chrono::milliseconds length, void (CommandTree::*next)());
  // Its launcher has nothing left to do.
  void GiveBack();
  void Exited(int wait_status, const rusage& usage);
  // To its launcher, which goes on killing if there is anything to kill.
  void Leave();

  ProcessResources& resources_;
  Events& events_;
  std::shared_ptr<LauncherProcess> launcher_;
  pid_t pid_ = 0;
  bool terminal_ = false;
  // What stands between the first process and the command: bubblewrap's init, rawgate-exec-inner,
  // and it.
  static constexpr int kInBubblewrap = 3;
  int depth_ = 0;
  bool exited_ = false;
  bool ending_ = false;
  bool killing_ = false;
  // By SIGKILL, whoever sent it.
  bool killed_ = false;
  // Between two looks.
  Timer pause_;
  std::chrono::milliseconds pause_length_;
  // Until harder means are used: the grace, then how long these may take.
  Timer patience_;
  Signalled signalled_;
};

}  // namespace rawgate::exec
