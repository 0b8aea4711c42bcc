#include "services/exec/launcher/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/limits.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "services/exec/exec_launcher.h"
#include "services/exec/launcher/system_call.h"

namespace rawgate::exec {
namespace {

[[noreturn]] void Fail(LaunchStage stage, long negative_errno) {
  const LaunchFailure failure{stage, static_cast<int32_t>(-negative_errno)};
  SystemCall(SYS_write, kLaunchStatusFd, Address(&failure), sizeof(failure));
  for (;;) SystemCall(SYS_exit_group, kLaunchFailureExitCode);
}

void Check(LaunchStage stage, long result) {
  if (result < 0) Fail(stage, result);
}

// Reads one decimal number and advances past it.
uint32_t ParseNumber(const char*& text) {
  uint64_t value = 0;
  const char* const begin = text;
  for (; *text >= '0' && *text <= '9'; ++text) {
    value = value * 10 + static_cast<uint64_t>(*text - '0');
    if (value > UINT32_MAX) Fail(LaunchStage::kArguments, -ERANGE);
  }
  if (text == begin) Fail(LaunchStage::kArguments, -EINVAL);
  return static_cast<uint32_t>(value);
}

// Everything but 0, 1 and 2 closes at exec; until then the status pipe is still needed.
void CloseDescriptorsAtExec() {
  long result = SystemCall(SYS_close_range, kLaunchStatusFd, UINT32_MAX, CLOSE_RANGE_CLOEXEC);
  if (result == -ENOSYS || result == -EINVAL) {
    // Linux before 5.11. The service opens nothing without O_CLOEXEC, so that only the status pipe
    // is left to mark.
    result = SystemCall(SYS_fcntl, kLaunchStatusFd, F_SETFD, FD_CLOEXEC);
  }
  Check(LaunchStage::kDescriptors, result);
}

// Ignored signals stay ignored over exec: the service's own SIGPIPE, and two that the C library's
// posix_spawn keeps for itself.
void ResetSignals() {
  // The kernel's struct sigaction: handler (SIG_DFL), flags, restorer, mask.
  const unsigned long by_default[4] = {};
  constexpr long kSignals = 64;
  for (long signal = 1; signal <= kSignals; ++signal) {
    SystemCall(SYS_rt_sigaction, signal, Address(by_default), 0, kSignals / 8);
  }
}

// Lowers a limit; never asks for more than the hard limit that is.
void SetLimit(int resource, uint64_t soft, bool hard_too) {
  rlimit64 limit{};
  Check(LaunchStage::kLimits, SystemCall(SYS_prlimit64, 0, resource, 0, Address(&limit)));
  limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
  if (hard_too) limit.rlim_max = limit.rlim_cur;
  Check(LaunchStage::kLimits, SystemCall(SYS_prlimit64, 0, resource, Address(&limit), 0));
}

void BecomeUser(const char* user, const char* group, const char* groups) {
  uint32_t supplementary[kLaunchSupplementaryMax];
  long count = 0;
  while (*groups != '\0') {
    if (count == kLaunchSupplementaryMax) Fail(LaunchStage::kArguments, -E2BIG);
    supplementary[count++] = ParseNumber(groups);
    if (*groups == ',') ++groups;
  }
  const uint32_t gid = ParseNumber(group);
  const uint32_t uid = ParseNumber(user);
  Check(LaunchStage::kGroups, SystemCall(SYS_setgroups, count, Address(supplementary)));
  Check(LaunchStage::kGroups, SystemCall(SYS_setresgid, gid, gid, gid));
  Check(LaunchStage::kUser, SystemCall(SYS_setresuid, uid, uid, uid));
}

// Value of PATH, or the usual folders.
const char* SearchPath(char** environment) {
  for (char** entry = environment; *entry != nullptr; ++entry) {
    const char* text = *entry;
    if (text[0] == 'P' && text[1] == 'A' && text[2] == 'T' && text[3] == 'H' && text[4] == '=')
      return text + 5;
  }
  return "/usr/local/bin:/usr/bin:/bin";
}

bool HasSlash(const char* text) {
  while (*text != '\0' && *text != '/') ++text;
  return *text == '/';
}

// Writes "folder/name"; false when it does not fit, or when the folder is relative or empty: it
// would make the working folder's files into commands. Advances `path` past the folder and its
// colon.
bool NextCandidate(const char*& path, const char* name, char (&candidate)[PATH_MAX]) {
  size_t size = 0;
  bool fits = *path == '/';
  const auto put = [&](char c) {
    if (size < PATH_MAX) {
      candidate[size++] = c;
    } else {
      fits = false;
    }
  };
  for (; *path != '\0' && *path != ':'; ++path) put(*path);
  if (*path == ':') ++path;
  put('/');
  for (; *name != '\0'; ++name) put(*name);
  put('\0');
  return fits;
}

// As execvpe(3), but that a file without a format is not handed to a shell. Returns -errno.
long Execute(char** argv, char** environment) {
  if (HasSlash(argv[0]))
    return SystemCall(SYS_execve, Address(argv[0]), Address(argv), Address(environment));
  long result = -ENOENT;
  for (const char* path = SearchPath(environment); *path != '\0';) {
    char candidate[PATH_MAX];
    if (!NextCandidate(path, argv[0], candidate)) continue;
    const long error =
        SystemCall(SYS_execve, Address(candidate), Address(argv), Address(environment));
    // In a folder that may not be entered nothing can be said to exist.
    if (error == -EACCES && SystemCall(SYS_faccessat, AT_FDCWD, Address(candidate), 0) == 0)
      result = error;
    if (error != -EACCES && error != -ENOENT && error != -ENOTDIR) return error;
  }
  return result;
}

}  // namespace

void BecomeCommand(int argc, char** argv, char** environment) {
  if (argc <= kLaunchCommand) Fail(LaunchStage::kArguments, -EINVAL);
  CloseDescriptorsAtExec();
  ResetSignals();
  SetLimit(RLIMIT_CORE, 0, /*hard_too=*/true);
  SetLimit(RLIMIT_NOFILE, kLaunchOpenFiles, /*hard_too=*/false);
  if (const char* processes = argv[kLaunchProcesses]; *processes != '\0') {
    SetLimit(RLIMIT_NPROC, ParseNumber(processes), /*hard_too=*/true);
  }
  if (*argv[kLaunchUser] != '\0')
    BecomeUser(argv[kLaunchUser], argv[kLaunchGroup], argv[kLaunchGroups]);
  Check(LaunchStage::kPrivileges, SystemCall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  // Should the service be killed, its commands do not go on without anybody. Changing the user
  // resets this, so it comes after that.
  Check(LaunchStage::kPrivileges, SystemCall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
  if (*argv[kLaunchFolder] != '\0') {
    Check(LaunchStage::kFolder, SystemCall(SYS_chdir, Address(argv[kLaunchFolder])));
  }
  Fail(LaunchStage::kExec, Execute(argv + kLaunchCommand, environment));
}

}  // namespace rawgate::exec
