#include "services/time/kernel_clock.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "runtime/base/fd.h"

namespace rawgate::timesvc {

KernelClockState FromTimex(const timex& told, int result) {
  if (result < 0) return {};
  KernelClockState state;
  const bool unsynchronized = result == TIME_ERROR || (told.status & STA_UNSYNC) != 0;
  state.synchronization =
      unsynchronized ? ClockSynchronization::kUnsynchronized : ClockSynchronization::kSynchronized;
  state.max_error = absl::Microseconds(told.maxerror);
  state.estimated_error = absl::Microseconds(told.esterror);
  const bool over = result == TIME_WAIT;
  state.leap_insert = !over && (told.status & STA_INS) != 0;
  state.leap_delete = !over && (told.status & STA_DEL) != 0;
  return state;
}

KernelClockState ReadKernelClock() {
  timex told{};  // modes == 0 only asks
  const int result = ::adjtimex(&told);
  return FromTimex(told, result);
}

std::string KernelClockSource() {
  const Fd file(::open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
                       O_RDONLY | O_CLOEXEC));
  if (!file) return "";
  std::array<char, 64> name;
  const ssize_t size = ::read(file.get(), name.data(), name.size());
  if (size <= 0) return "";
  const absl::string_view line(name.data(), static_cast<size_t>(size));
  return std::string(absl::StripTrailingAsciiWhitespace(line));
}

absl::Duration TimeSinceBoot() {
  timespec uptime{};
  ::clock_gettime(CLOCK_BOOTTIME, &uptime);
  return absl::DurationFromTimespec(uptime);
}

}  // namespace rawgate::timesvc
