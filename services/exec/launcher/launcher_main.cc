// rawgate-exec-launcher: turns itself into one command. The service starts it with posix_spawn(3),
// which stays cheap however large the service is, and it does what posix_spawn cannot: limits,
// user, privileges, working folder.
//
// It is linked without the C library where that can be done (x86-64, AArch64). Its own start would
// otherwise cost more than all of its work: a C library asks the processor for its features first,
// and in a virtual machine each such question is a trap to the hypervisor. Nothing here allocates,
// and every failure ends in Fail().
//
// Session and signal mask are already the command's when this starts: posix_spawn set them.

#include "services/exec/launcher/launcher.h"

#if defined(RAWGATE_LAUNCHER_FREESTANDING)

// The kernel's entry: argc, argv and the environment lie on the stack, one after another.
extern "C" [[noreturn]] __attribute__((used)) void LauncherEntry(long* stack) {
  const int argc = static_cast<int>(stack[0]);
  char** const argv = reinterpret_cast<char**>(stack + 1);
  rawgate::exec::BecomeCommand(argc, argv, argv + argc + 1);
}

#if defined(__x86_64__)
__asm__(
    ".globl _start\n"
    "_start:\n"
    "  xor %ebp, %ebp\n"
    "  mov %rsp, %rdi\n"
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

#include <unistd.h>

int main(int argc, char** argv) { rawgate::exec::BecomeCommand(argc, argv, environ); }

#endif
