// rawgate-exec-launcher: starts commands for rawgate-exec, one at a time, and stays with each until
// nothing of it is left. What it does is in services/exec/exec_launcher.h.
//
// It is linked without the C library where that can be done (x86-64, AArch64): then there is next
// to no memory to share with a new process, and it starts in no time. A C library asks the
// processor for its features first, and in a virtual machine each such question is a trap to the
// hypervisor. Nothing here allocates.

#include "services/exec/launcher/launcher.h"

#if defined(RAWGATE_LAUNCHER_FREESTANDING)

extern "C" [[noreturn]] __attribute__((used)) void LauncherEntry() { rawgate::exec::RunLauncher(); }

#if defined(__x86_64__)
__asm__(
    ".globl _start\n"
    "_start:\n"
    "  xor %ebp, %ebp\n"
    "  and $-16, %rsp\n"
    "  call LauncherEntry\n");
#elif defined(__aarch64__)
__asm__(
    ".globl _start\n"
    "_start:\n"
    "  mov x29, #0\n"
    "  mov x0, sp\n"
    "  bl LauncherEntry\n");
#endif

#else

int main() { rawgate::exec::RunLauncher(); }

#endif
