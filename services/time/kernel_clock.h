// What the kernel says about its clock. Any thread.
#pragma once

#include <sys/timex.h>

#include <string>

#include "absl/time/time.h"

namespace rawgate::timesvc {

enum class ClockSynchronization {
  kUnknown,  // not told, as in some sandboxes
  kSynchronized,
  kUnsynchronized,
};

// Where the kernel's clock stands, as whoever disciplines it has told the kernel.
struct KernelClockState {
  ClockSynchronization synchronization = ClockSynchronization::kUnknown;
  // At most this far from the true time, and estimated to be this far from it. Zero when not told.
  absl::Duration max_error = absl::ZeroDuration();
  absl::Duration estimated_error = absl::ZeroDuration();
  // The last minute of this UTC day has 61 or 59 seconds. Not after it, although the kernel's flag
  // stays until whoever set it takes it back.
  bool leap_insert = false;
  bool leap_delete = false;
};

// What adjtimex(2) told, and returned.
KernelClockState FromTimex(const timex& told, int result);

// adjtimex(2), which only asks. Some 100 ns.
KernelClockState ReadKernelClock();

// The clock source in use, such as "tsc" or "kvm-clock"; empty where it is not told. Reads a file
// of sysfs.
std::string KernelClockSource();

// Since the machine booted, sleep included.
absl::Duration TimeSinceBoot();

}  // namespace rawgate::timesvc
