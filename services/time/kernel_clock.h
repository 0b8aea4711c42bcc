// What the kernel says about its clock. Any thread.
#pragma once

#include <string>

#include "absl/time/time.h"

namespace rawgate::timesvc {

// adjtimex(2).
enum class ClockSynchronization {
  kUnknown,  // not told, as in some sandboxes
  kSynchronized,
  kUnsynchronized,
};
ClockSynchronization KernelClockSynchronization();

// The clock source in use, such as "tsc" or "kvm-clock"; empty where it is not told. Reads a file
// of sysfs.
std::string KernelClockSource();

// Since the machine booted, sleep included.
absl::Duration TimeSinceBoot();

}  // namespace rawgate::timesvc
