#include "services/exec/launcher/command.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/prctl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <asm/ioctls.h>

#include "services/exec/exec_launcher.h"
#include "services/exec/launcher/execute.h"
#include "services/exec/launcher/system_call.h"

namespace rawgate::exec {
namespace {

// landlock_restrict_self(2), by the same number everywhere; older C libraries do not name it.
constexpr long kLandlockRestrictSelf = 446;

// Which step it is; told when it fails.
class Steps {
 public:
  explicit Steps(CommandStart& start) : start_(start) {}

  [[noreturn]] void Fail(LaunchStage stage, long negative_errno) {
    start_.failure = {stage, static_cast<int32_t>(-negative_errno)};
    constexpr int kNeverSeen = 127;
    for (;;) SystemCall(SYS_exit_group, kNeverSeen);
  }
  void Check(LaunchStage stage, long result) {
    if (result < 0) Fail(stage, result);
  }

 private:
  CommandStart& start_;
};

// The first `kept` stay open, as 0, 1 and so on.
void SetDescriptors(Steps& steps, const int (&descriptors)[kLaunchDescriptorsMax], int kept) {
  for (int i = 0; i < kept; ++i) {
    steps.Check(LaunchStage::kDescriptors, SystemCall(SYS_dup3, descriptors[i], i, 0));
  }
  // All others close at exec. Linux before 5.11 cannot mark them so; the launcher's own were made
  // so in the first place.
  const long result = SystemCall(SYS_close_range, kept, UINT32_MAX, CLOSE_RANGE_CLOEXEC);
  if (result != -ENOSYS && result != -EINVAL) steps.Check(LaunchStage::kDescriptors, result);
}

// Lowers a limit; never asks for more than the hard limit that is.
void SetLimit(Steps& steps, const LaunchLimit& wanted) {
  rlimit64 limit;
  steps.Check(LaunchStage::kLimits,
              SystemCall(SYS_prlimit64, 0, wanted.resource, 0, Address(&limit)));
  limit.rlim_cur = wanted.value < limit.rlim_max ? wanted.value : limit.rlim_max;
  if (wanted.hard_too != 0) limit.rlim_max = limit.rlim_cur;
  steps.Check(LaunchStage::kLimits,
              SystemCall(SYS_prlimit64, 0, wanted.resource, Address(&limit), 0));
}

void BecomeUser(Steps& steps, const LaunchBlock& block) {
  const long gid = block.group;
  const long uid = block.user;
  steps.Check(LaunchStage::kGroups,
              SystemCall(SYS_setgroups, block.groups_count, Address(block.groups)));
  steps.Check(LaunchStage::kGroups, SystemCall(SYS_setresgid, gid, gid, gid));
  steps.Check(LaunchStage::kUser, SystemCall(SYS_setresuid, uid, uid, uid));
}

// What follows a text and its NUL.
char* After(char* text) {
  while (*text++ != '\0') {
  }
  return text;
}

// Fills `pointers` with `count` texts from `text` on, and a null; returns what follows them.
char* FillPointers(char* text, uint32_t count, char** pointers) {
  for (uint32_t i = 0; i < count; ++i) {
    pointers[i] = text;
    text = After(text);
  }
  pointers[count] = nullptr;
  return text;
}

}  // namespace

void BecomeCommand(void* given) {
  CommandStart& start = *static_cast<CommandStart*>(given);
  const LaunchBlock& block = *start.block;
  Steps steps(start);
  SystemCall(SYS_setsid);
  SystemCall(SYS_setpriority, PRIO_PROCESS, 0, start.nice);
  const bool bubblewrap = block.fourth == LaunchFourth::kInner;
  SetDescriptors(steps, start.descriptors, bubblewrap ? kInnerMemory + 1 : kInnerMemory);
  if (block.terminal != 0) {
    steps.Check(LaunchStage::kTerminal, SystemCall(SYS_ioctl, 0, TIOCSCTTY, 0));
  }
  for (uint32_t i = 0; i < block.limits_count; ++i) SetLimit(steps, block.limits[i]);
  if (block.change_user != 0) BecomeUser(steps, block);
  steps.Check(LaunchStage::kPrivileges, SystemCall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  // Should the launcher be killed, the command does not go on without it. Changing the user resets
  // this, so it comes after that.
  steps.Check(LaunchStage::kPrivileges, SystemCall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));

  if (block.fourth == LaunchFourth::kRuleset) {
    steps.Check(LaunchStage::kSandbox,
                SystemCall(kLandlockRestrictSelf, start.descriptors[kInnerMemory], 0));
  }

  char* const folder = start.block->text;
  char* const environment = FillPointers(After(folder), block.arguments_count, start.arguments);
  FillPointers(environment, block.environment_count, start.environment);
  if (*folder != '\0') steps.Check(LaunchStage::kFolder, SystemCall(SYS_chdir, Address(folder)));
  if (!bubblewrap) {
    const unsigned long none = 0;
    SystemCall(SYS_rt_sigprocmask, SIG_SETMASK, Address(&none), 0, sizeof(none));
  }
  steps.Fail(LaunchStage::kExec, Execute(start.arguments, start.environment));
}

}  // namespace rawgate::exec
