// What the service and rawgate-exec-launcher agree on. The launcher links no library at all, so
// this file includes none of ours.
#pragma once

#include <cstdint>

namespace rawgate::exec {

// The launcher's arguments, in this order; the command's own argv follows kLaunchCommand to the
// end. Its environment is the command's, complete. Numbers are decimal; an empty string leaves that
// property as it is.
enum LaunchArgument : int {
  kLaunchName = 0,       // "rawgate-exec-launcher"
  kLaunchUser = 1,       // uid
  kLaunchGroup = 2,      // gid
  kLaunchGroups = 3,     // supplementary gids, separated by commas; set (also to none) whenever
                         // kLaunchUser is given
  kLaunchProcesses = 4,  // RLIMIT_NPROC
  kLaunchFolder = 5,     // working folder, entered as that user
  kLaunchCommand = 6,    // looked up in PATH when it has no slash
};

// Descriptors the launcher starts with beside 0, 1 and 2: the write end of a pipe. It closes when
// the command's program begins to run; a LaunchFailure in it says that it never did.
inline constexpr int kLaunchStatusFd = 3;

enum class LaunchStage : int32_t {
  kSpawn = 1,  // the launcher itself could not be started
  kArguments,
  kDescriptors,
  kLimits,
  kGroups,
  kUser,
  kPrivileges,
  kFolder,
  kExec,
};

struct LaunchFailure {
  LaunchStage stage;
  int32_t errno_value;
};

inline constexpr int kLaunchSupplementaryMax = 256;
// Soft limit of open descriptors that commands start with: what select(2) can handle.
inline constexpr uint64_t kLaunchOpenFiles = 1024;
inline constexpr int kLaunchFailureExitCode = 127;

}  // namespace rawgate::exec
