// Where commands run. No event loop in this header: who uses it need not know of one.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "services/exec/exec_launch.h"
#include "services/exec/exec_process.h"

namespace boost::asio {
class io_context;
}

namespace rawgate::exec {

struct ProcessHostOptions {
  std::string launcher_path = {};
  // For output that is too large for memory, and for the folders of commands in sandboxes.
  std::string spool_folder = "/tmp";
  // Cgroups for commands that run as another user, where the system allows it.
  bool cgroups = true;
  // Between SIGTERM and SIGKILL.
  absl::Duration grace = absl::Seconds(2);
  // For the launcher to kill all after that; then it is killed itself, and its work done here.
  absl::Duration kill_patience = absl::Seconds(30);
};

// At most one in a process: it adopts orphans, see exec_orphans.h. Loop thread, but for
// Post() and PostAfter().
class ProcessHost {
 public:
  // `loop` outlives this object, has one thread, and runs on while commands do. Blocks SIGCHLD in
  // the calling thread and so in those that it starts later.
  ProcessHost(boost::asio::io_context& loop, ProcessHostOptions options);
  // No Process is left.
  ~ProcessHost();

  // Starts a command. `observer` outlives the Process. A failure to start is told by
  // OnProcessEnd().
  std::unique_ptr<Process> Start(const ProcessSpec& spec, ProcessObserver& observer);

  // Runs `work`, which may wait for a disk, on another thread, and `done` on the loop thread
  // afterwards.
  void RunOnDisk(std::function<void()> work, std::function<void()> done);
  // Runs `task` on the loop thread, later. Any thread.
  void Post(std::function<void()> task);
  void PostAfter(absl::Duration delay, std::function<void()> task);

 private:
  std::unique_ptr<ProcessResources> resources_;
};

}  // namespace rawgate::exec
