#include "services/time/time_core.h"

namespace rawgate::timesvc {

absl::Duration TimeCore::ToldWithin(absl::Duration real) const {
  return test_clock_active() ? real * test_clock_->setting().Speed() : real;
}

absl::Duration TimeCore::RealTimeUntil(absl::Time told) {
  return test_clock_ ? test_clock_->RealTimeUntil(told) : told - clock_.Now();
}

size_t TimeCore::Answer(absl::string_view format, std::span<char> reply) {
  return answers_.Format(format, absl::ToTimeT(clock_.Now()), reply);
}

absl::StatusOr<TimeReading> TimeCore::Read(absl::string_view format, absl::string_view time_zone) {
  const absl::StatusOr<TimeFormatter> formatter = TimeFormatter::Make(format, time_zone);
  if (!formatter.ok()) return formatter.status();
  TimeReading reading;
  reading.test_clock = test_clock_active();
  reading.time = clock_.Now();
  static_cast<FormattedTime&>(reading) = formatter->Format(reading.time);
  reading.uptime = TimeSinceBoot();
  reading.clock_source = ClockSource(reading.uptime);
  reading.synchronization = ReadKernelClock().synchronization;
  return reading;
}

std::string TimeCore::ClockSource(absl::Duration uptime) {
  absl::MutexLock lock(&mutex_);
  if (uptime - clock_source_read_ >= absl::Seconds(1)) {
    clock_source_ = KernelClockSource();
    clock_source_read_ = uptime;
  }
  return clock_source_;
}

}  // namespace rawgate::timesvc
