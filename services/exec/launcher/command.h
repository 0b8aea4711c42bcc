// rawgate-exec-launcher's work: this process becomes one command.
#pragma once

namespace rawgate::exec {

// Arguments as in services/exec/exec_launcher.h. Returns to nobody: on failure the process ends
// with kLaunchFailureExitCode.
[[noreturn]] void BecomeCommand(int argc, char** argv, char** environment);

}  // namespace rawgate::exec
