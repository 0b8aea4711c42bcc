// System calls without a C library. With one (RAWGATE_LAUNCHER_FREESTANDING not defined) they go
// through it.
#pragma once

#include <errno.h>
#include <sys/syscall.h>

#if !defined(RAWGATE_LAUNCHER_FREESTANDING)
#include <unistd.h>
#endif

namespace rawgate::exec {

// The result, or -errno.
inline long SystemCall(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) {
#if !defined(RAWGATE_LAUNCHER_FREESTANDING)
  const long result = syscall(number, a, b, c, d, e);
  return result < 0 ? -errno : result;
#elif defined(__x86_64__)
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
#else
#error \
    "no system calls without a C library on this processor: leave RAWGATE_LAUNCHER_FREESTANDING undefined"
#endif
}

inline long Address(const void* pointer) { return reinterpret_cast<long>(pointer); }

}  // namespace rawgate::exec
