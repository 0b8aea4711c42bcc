#include "services/exec/launcher/inner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "services/exec/exec_launcher.h"
#include "services/exec/launcher/execute.h"
#include "services/exec/launcher/system_call.h"

namespace rawgate::exec {
namespace {

alignas(16) char command_stack[64 * 1024];
char* environment_pointers[kLaunchEnvironmentMax + 1];

struct Start {
  char** arguments;
  LauncherReport& report;
  LaunchFailure failure;
};

// In a process that shares this one's memory until it runs the command's program.
[[noreturn]] void BecomeCommand(void* given) {
  Start& start = *static_cast<Start*>(given);
  // With a terminal, it is the command's: a shell expects to be in the foreground.
  if (isatty(STDIN_FILENO) && setpgid(0, 0) == 0) tcsetpgrp(STDIN_FILENO, getpid());
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (chdir(start.arguments[0]) < 0) {
    start.failure = {LaunchStage::kFolder, errno};
  } else {
    // Before it can kill whoever would tell that it ran.
    start.report.pid = getpid();
    const long error = Execute(start.arguments + 1, environment_pointers);
    start.failure = {LaunchStage::kExec, static_cast<int32_t>(-error)};
  }
  _exit(127);
}

// Null when it was not started by the service.
InnerBlock* MapBlock() {
  void* const mapped =
      mmap(nullptr, sizeof(InnerBlock), PROT_READ | PROT_WRITE, MAP_SHARED, kInnerMemory, 0);
  close(kInnerMemory);
  return mapped == MAP_FAILED ? nullptr : static_cast<InnerBlock*>(mapped);
}

void FillEnvironment(InnerBlock& block) {
  char* text = block.environment;
  for (uint32_t i = 0; i < block.environment_count && i < kLaunchEnvironmentMax; ++i) {
    environment_pointers[i] = text;
    text += strlen(text) + 1;
  }
}

}  // namespace

bool RunInside(char** arguments) {
  // The command runs as the same user, and is not to write reports itself.
  prctl(PR_SET_DUMPABLE, 0);
  InnerBlock* const block = MapBlock();
  if (block == nullptr) return false;
  FillEnvironment(*block);
  LauncherReport& report = block->report;
  Start start = {arguments, report, {LaunchStage::kSpawn, 0}};
  const long command =
      CloneSharing({BecomeCommand, &start, command_stack, sizeof(command_stack)}, kSameCgroup);
  if (command < 0) start.failure.errno_value = static_cast<int32_t>(-command);
  if (start.failure.errno_value != 0) {
    report.failure = start.failure;
    report.events = LauncherReport::kFailed;
    return true;
  }
  while (wait4(static_cast<pid_t>(command), &report.wait_status, 0, &report.usage) < 0 &&
         errno == EINTR) {
  }
  report.events = LauncherReport::kExited;
  return true;
}

}  // namespace rawgate::exec
