// System calls without a C library. With one (RAWGATE_LAUNCHER_FREESTANDING not defined) they go
// through it.
#pragma once

#include <errno.h>
#include <linux/sched.h>
#include <sys/syscall.h>

#if !defined(RAWGATE_LAUNCHER_FREESTANDING)
#include <sched.h>
#include <unistd.h>
#endif

namespace rawgate::exec {

inline long Address(const void* pointer) { return reinterpret_cast<long>(pointer); }

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

// What a new process begins with. It shares this one's memory, so it needs a stack.
struct CloneStart {
  void (*entry)(void*);  // does not return
  void* argument;
  char* stack;  // its lower end, a multiple of 16
  unsigned long stack_size;
};

#if defined(RAWGATE_LAUNCHER_FREESTANDING)
// clone(2) or clone3(2), by `number` and arguments that name another stack. The child calls
// `entry`, which does not return. The pid, or -errno.
inline long Clone(long number, long first, long second, void (*entry)(void*), void* argument) {
#if defined(__x86_64__)
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
      : "a"(number), "D"(first), "S"(second), "d"(0L), "r"(r10), "r"(r8), "r"(r12), "r"(r13)
      : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = first;
  register long x1 __asm__("x1") = second;
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
#endif

inline constexpr int kSameCgroup = -1;

// vfork(2), but that the child runs on a stack of its own. Returns its pid when it has replaced its
// program or ended, or -errno. `cgroup` is the folder of the one that the child begins in; with a C
// library only kSameCgroup will do (-ENOSYS).
inline long CloneSharing(const CloneStart& start, int cgroup) {
  constexpr long kShare = 0x100 /* CLONE_VM */ | 0x4000 /* CLONE_VFORK */;
  constexpr long kEndSignal = 17 /* SIGCHLD */;
  char* const stack_end = start.stack + start.stack_size;
#if !defined(RAWGATE_LAUNCHER_FREESTANDING)
  if (cgroup != kSameCgroup) return -ENOSYS;
  const auto run = [](void* given) -> int {
    const auto& made = *static_cast<const CloneStart*>(given);
    made.entry(made.argument);
    return 0;
  };
  CloneStart copy = start;
  const long result = clone(run, stack_end, static_cast<int>(kShare | kEndSignal), &copy);
  return result < 0 ? -errno : result;
#else
  // Containers forbid clone3 more often.
  if (cgroup == kSameCgroup)
    return Clone(SYS_clone, kShare | kEndSignal, Address(stack_end), start.entry, start.argument);
  clone_args into{};
  into.flags = kShare | CLONE_INTO_CGROUP;
  into.exit_signal = kEndSignal;
  into.stack = reinterpret_cast<unsigned long>(start.stack);
  into.stack_size = start.stack_size;
  into.cgroup = static_cast<unsigned long>(cgroup);
  return Clone(SYS_clone3, Address(&into), sizeof(into), start.entry, start.argument);
#endif
}

}  // namespace rawgate::exec
