// What the service and rawgate-exec-launcher agree on. The launcher links no library at all, so
// this file includes none of ours.
//
// A launcher runs one command at a time, and stays with it: it is the reaper of all orphans below
// it (PR_SET_CHILD_SUBREAPER), so that nothing a command starts can get away from it, and a command
// is over exactly when its launcher has no child left. Then the launcher is as it was, and takes
// the next command. Where there are cgroups for commands it stays outside of the one that its
// commands are in. When its socket ends, which it does with the service however that ends, the
// launcher kills what it has and ends too.
#pragma once

#include <sys/resource.h>

#include <cstddef>
#include <cstdint>

namespace rawgate::exec {

// Descriptors that a launcher starts with; 0 to 2 are /dev/null.
inline constexpr int kLauncherSocket = 3;  // SOCK_SEQPACKET: LauncherOrder in, LauncherReport out
inline constexpr int kLauncherMemory = 4;  // a LaunchBlock, shared with the service
// The folder of a cgroup for commands that do not run as root, which alone can change it; anything
// else: there is none.
inline constexpr int kLauncherCgroup = 5;

enum class LauncherOrder : uint32_t {
  // Start the command that is in the block; its descriptors 0, 1 and 2 come with the message, and a
  // fourth if LaunchBlock::fourth says so. Only to a launcher that has no command.
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
  kSandbox,
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

// What a fourth descriptor is that comes with kRun.
enum class LaunchFourth : uint32_t {
  kNone = 0,  // there is none
  kRuleset,   // of Landlock, to be put into force
  // An InnerBlock, for the command to keep as kInnerMemory: the command is bubblewrap, and what it
  // runs is rawgate-exec-inner. Both start with all signals blocked, since these are meant for the
  // command that rawgate-exec-inner runs.
  kInner,
};
inline constexpr int kInnerMemory = 3;

inline constexpr int kLaunchDescriptorsMax = 4;
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
  LaunchFourth fourth;
  uint32_t limits_count;
  LaunchLimit limits[kLaunchLimitsMax];
  uint32_t arguments_count;
  uint32_t environment_count;
  // Each ended by a NUL: the working folder, entered as that user; the arguments, of which the
  // first is looked up in the command's PATH when it has no slash; the environment.
  char text[kLaunchTextMax];
};

// What the service and rawgate-exec-inner share. The environment goes this way since bubblewrap is
// not to have it (LD_PRELOAD), and on a command line all users of the machine could read it.
struct InnerBlock {
  // kFailed, or kExited; neither, and `pid` set: it ran, and nobody saw its end. All zero when it
  // never got that far.
  LauncherReport report;
  uint32_t environment_count;
  // Each ended by a NUL.
  char environment[kLaunchTextMax];
};

}  // namespace rawgate::exec
