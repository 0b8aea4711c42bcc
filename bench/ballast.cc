// Makes a program that knows nothing of it large: a library for LD_PRELOAD whose constructor takes
// BALLAST_BYTES of memory and touches all of it, before main().
//
// It is for the process that it was preloaded into alone: what that starts inherits neither
// variable.
#include <sys/mman.h>

#include "bench/sockets.h"

using namespace rawgate::bench;  // NOLINT: a library of one file

namespace {

[[gnu::constructor]] void TakeBallast() {
  const char* const text = std::getenv("BALLAST_BYTES");
  const size_t size = text == nullptr ? 0 : ParseNumber(text);
  unsetenv("BALLAST_BYTES");
  unsetenv("LD_PRELOAD");
  if (size == 0) return;
  void* const ballast =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  Check(ballast == MAP_FAILED ? -1 : 0, "mmap");
  // Small pages, as a heap that grew has: they are what is dear when a large process forks.
  madvise(ballast, size, MADV_NOHUGEPAGE);
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  for (size_t offset = 0; offset < size; offset += page) {
    static_cast<volatile char*>(ballast)[offset] = 1;
  }
}

}  // namespace
