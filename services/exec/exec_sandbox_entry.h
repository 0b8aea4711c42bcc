// One command's way into its sandbox and out again.
#pragma once

#include <sys/resource.h>

#include <string>

#include "runtime/base/fd.h"
#include "services/exec/exec_launch.h"
#include "services/exec/exec_process_resources.h"

namespace rawgate::exec {

// Loop thread. Leave() comes before the end.
class SandboxEntry {
 public:
  explicit SandboxEntry(ProcessResources& resources) : resources_(resources) {}

  // Makes the command's own folder and opens its streams. `inside` becomes what is to be started in
  // place of `launch`, which is the same without a sandbox. The value is an errno.
  int Open(const Launch& launch, Launch* inside, CommandStreams* streams);
  // It has ended, as of wait4(2): in bubblewrap that is put right.
  void CorrectEnd(int* wait_status, rusage* usage, LaunchFailure* failure) const;
  // Removes the folder, later.
  void Leave();

 private:
  ProcessResources& resources_;
  // Empty when there is none, or none any more.
  std::string own_folder_;
  // In bubblewrap.
  Fd inner_memory_;
};

}  // namespace rawgate::exec
