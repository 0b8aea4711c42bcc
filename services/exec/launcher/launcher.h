// rawgate-exec-launcher's work: see services/exec/exec_launcher.h.
#pragma once

namespace rawgate::exec {

// Runs commands until the service is gone.
[[noreturn]] void RunLauncher();

}  // namespace rawgate::exec
