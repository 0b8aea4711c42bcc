// Starts one command through rawgate-exec-launcher: posix_spawn(3), pipes for its output, a pidfd
// for its end. Neither forks this process nor waits for the command. No event loop here.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "runtime/base/fd.h"
#include "services/exec/exec_launcher.h"

namespace rawgate::exec {

// As whom commands run.
struct Identity {
  // False: as whoever the service is; the numbers are then not used.
  bool change = false;
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;
  // For the command's environment.
  std::string name;
  std::string home;
};

// What --run_as means for this process. Only a process of root changes its user: for any other,
// commands run as itself, and a `run_as` that is neither "nobody" (the default) nor its own name is
// an error. "root" is the only name that yields uid 0. Errors: INVALID_ARGUMENT (BAD_RUN_AS).
absl::StatusOr<Identity> ResolveIdentity(absl::string_view run_as);

// The launcher installed beside the running program. Error: FAILED_PRECONDITION (NO_LAUNCHER).
absl::StatusOr<std::string> FindLauncher();

struct Launch {
  // At least one; none holds a NUL.
  std::vector<std::string> argv;
  // "NAME=value", complete.
  std::vector<std::string> environment;
  // Absolute.
  std::string folder;
  // Whole standard input; empty means end of file at once.
  std::string input;
};

struct Launched {
  // Leads a session and a process group of its own.
  pid_t pid = -1;
  // Readable when the process has ended.
  Fd pidfd;
  // Read ends, not blocking.
  Fd output;
  Fd error_output;
  // See kLaunchStatusFd; not blocking.
  Fd status;
};

// Thread-safe.
class Launcher {
 public:
  // At most this many processes and threads of the user that commands run as, when the user is
  // changed.
  static constexpr int kProcessesMax = 4096;

  // `path` is the launcher program. Makes sure that this process's descriptors 0 to 2 are open.
  Launcher(std::string path, Identity identity);

  // Blocks for as long as the launcher takes to exec, well under a millisecond. An error is a start
  // failure of the command as well.
  struct Result {
    Launched launched;
    // errno_value is 0 on success.
    LaunchFailure failure{LaunchStage::kSpawn, 0};
  };
  Result Start(const Launch& launch) const;

  const Identity& identity() const { return identity_; }

 private:
  const std::string path_;
  const Identity identity_;
  const std::vector<std::string> fixed_arguments_;
  Fd null_;
};

// What the launcher reported, if the command's program never began to run. Meaningful once the
// process has ended.
LaunchFailure ReadLaunchFailure(const Fd& status);

// Such as "exec: No such file or directory".
std::string DescribeLaunchFailure(const LaunchFailure& failure);

}  // namespace rawgate::exec
