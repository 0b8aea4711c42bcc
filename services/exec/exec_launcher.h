// What the service and rawgate-exec-launcher agree on. The launcher links no library at all, so
// this file includes none of ours.
//
// A launcher runs one command at a time, and stays with it: it is the reaper of all orphans below
// it (PR_SET_CHILD_SUBREAPER), so that nothing a command starts can get away from it, and a command
// is over exactly when its launcher has no child left. Then the launcher is as it was, and takes
// the next command. When its socket ends, which it does with the service however that ends, the
// launcher kills what it has and ends too.
#pragma once

#include <sys/resource.h>

#include <cstddef>
#include <cstdint>

namespace rawgate::exec {

// Descriptors that a launcher starts with; 0 to 2 are /dev/null.
inline constexpr int kLauncherSocket = 3;  // SOCK_SEQPACKET: LauncherOrder in, LauncherReport out
inline constexpr int kLauncherMemory = 4;  // a LaunchBlock, shared with the service

enum class LauncherOrder : uint32_t {
  // Start the command that is in the block; its descriptors 0, 1 and 2 come with the message. Only
  // to a launcher that has none.
  kRun = 1,
  // End all that is left of it by SIGKILL.
  kKill,
};

enum class LaunchStage : int32_t {
  kSpawn = 1,  // the launcher or the process could not be started
  kDescriptors,
  kTerminal,
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

struct LauncherReport {
  // Of `events`. What happened at once is told at once.
  static constexpr uint32_t kStarted = 1;  // the command's program runs; `pid`
  static constexpr uint32_t kFailed = 2;   // it never did; `failure`. Nothing follows.
  static constexpr uint32_t kExited = 4;   // it has ended; `wait_status`, `usage`
  static constexpr uint32_t kEmpty = 8;    // and nothing is left of it. Nothing follows.

  uint32_t events;
  int32_t pid;
  LaunchFailure failure;
  // As of wait4(2).
  int32_t wait_status;
  rusage usage;
};

struct LaunchLimit {
  int32_t resource;   // RLIMIT_...; the soft limit, never above the hard one
  uint32_t hard_too;  // not 0: the hard limit becomes the same
  uint64_t value;
};

inline constexpr uint32_t kLaunchLimitsMax = 8;
inline constexpr uint32_t kLaunchSupplementaryMax = 256;
inline constexpr uint32_t kLaunchArgumentsMax = 4096;
inline constexpr uint32_t kLaunchEnvironmentMax = 1200;
inline constexpr size_t kLaunchTextMax = 256 * 1024;

// A command, complete.
struct LaunchBlock {
  // Not 0: `user`, `group` and `groups` become the command's.
  uint32_t change_user;
  uint32_t user;
  uint32_t group;
  uint32_t groups_count;
  uint32_t groups[kLaunchSupplementaryMax];
  // Not 0: descriptor 0 is a terminal, and becomes the controlling one.
  uint32_t terminal;
  uint32_t limits_count;
  LaunchLimit limits[kLaunchLimitsMax];
  uint32_t arguments_count;
  uint32_t environment_count;
  // Each ended by a NUL: the working folder, entered as that user; the arguments, of which the
  // first is looked up in the command's PATH when it has no slash; the environment.
  char text[kLaunchTextMax];
};

}  // namespace rawgate::exec
