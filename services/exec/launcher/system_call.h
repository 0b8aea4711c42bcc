// System calls without a C library. With one (RAWGATE_LAUNCHER_FREESTANDING not defined) they go
// through it.
#pragma once

#include <errno.h>
#include <sys/syscall.h>

#if !defined(RAWGATE_LAUNCHER_FREESTANDING)
#include <sched.h>
#include <unistd.h>
#endif

namespace rawgate::exec {

// The result, or -errno.
inline long SystemCall(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                       long f = 0) {
#if !defined(RAWGATE_LAUNCHER_FREESTANDING)
  const long result = syscall(number, a, b, c, d, e, f);
  return result < 0 ? -errno : result;
#elif defined(__x86_64__)
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc #0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory");
  return x0;
#else
#error \
    "no system calls without a C library on this processor: leave RAWGATE_LAUNCHER_FREESTANDING undefined"
#endif
}

// vfork(2), but that the child runs on a stack of its own: calls `entry`, which does not return, in
// a new process that shares this one's memory. Returns its pid when it has replaced its program or
// ended, or -errno. `stack` is the end of the child's stack, a multiple of 16.
inline long CloneSharing(char* stack, void (*entry)(void*), void* argument) {
  constexpr long kFlags = 0x100 /* CLONE_VM */ | 0x4000 /* CLONE_VFORK */ | 17 /* SIGCHLD */;
#if !defined(RAWGATE_LAUNCHER_FREESTANDING)
  struct Call {
    void (*entry)(void*);
    void* argument;
  } call{entry, argument};
  const auto run = [](void* given) -> int {
    const Call& made = *static_cast<Call*>(given);
    made.entry(made.argument);
    return 0;
  };
  const long result = clone(run, stack, static_cast<int>(kFlags), &call);
  return result < 0 ? -errno : result;
#elif defined(__x86_64__)
  long result;
  register long r10 __asm__("r10") = 0;
  register long r8 __asm__("r8") = 0;
  register auto* r12 __asm__("r12") = entry;
  register void* r13 __asm__("r13") = argument;
  __asm__ volatile(
      "syscall\n"
      "test %%rax, %%rax\n"
      "jnz 1f\n"
      "xor %%ebp, %%ebp\n"
      "mov %%r13, %%rdi\n"
      "call *%%r12\n"
      "1:"
      : "=a"(result)
      : "a"(static_cast<long>(SYS_clone)), "D"(kFlags), "S"(stack), "d"(0L), "r"(r10), "r"(r8),
        "r"(r12), "r"(r13)
      : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = SYS_clone;
  register long x0 __asm__("x0") = kFlags;
  register char* x1 __asm__("x1") = stack;
  register long x2 __asm__("x2") = 0;
  register long x3 __asm__("x3") = 0;
  register long x4 __asm__("x4") = 0;
  register auto* x9 __asm__("x9") = entry;
  register void* x10 __asm__("x10") = argument;
  __asm__ volatile(
      "svc #0\n"
      "cbnz x0, 1f\n"
      "mov x29, #0\n"
      "mov x0, x10\n"
      "blr x9\n"
      "1:"
      : "+r"(x0)
      : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x9), "r"(x10)
      : "x30", "memory");
  return x0;
#endif
}

inline long Address(const void* pointer) { return reinterpret_cast<long>(pointer); }

}  // namespace rawgate::exec
