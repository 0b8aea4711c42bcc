// What a launcher leaves behind that was itself killed: by an administrator, for want of memory, or
// by a command that runs as the service's own user. Nothing else gets away from its launcher.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <vector>

#include "runtime/base/fd.h"

namespace rawgate::exec {

class LauncherPool;

// One thread.
class Orphans {
 public:
  // Makes this process the reaper of what its launchers leave.
  Orphans();

  struct Ended {
    bool seen = false;
    int wait_status = 0;
    rusage usage{};
  };

  // Kills whoever became a child of this process since `launcher` was started, and is no launcher.
  // Children of theirs then become ours, so this is called again and again until it returns false:
  // nobody was left. `ended` is filled in when `command` was among them. `launcher` is killed, and
  // not reaped yet.
  bool Sweep(const LauncherPool& launchers, pid_t launcher, pid_t command, Ended* ended);

 private:
  std::vector<pid_t> Children();

  // /proc/self/task/<pid>/children: orphans are given to the first thread.
  Fd children_;
};

}  // namespace rawgate::exec
