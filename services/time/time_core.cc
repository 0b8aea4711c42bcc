#include "services/time/time_core.h"

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "services/time/time_format.h"
#include "services/time/time_zone.h"

namespace rawgate::timesvc {
namespace {

std::string Formatted(absl::string_view format, const BrokenDownTime& time) {
  // Most results are short: the large buffer is for those that are not.
  std::string text(256, '\0');
  text.resize(FormatTime(format, time, text));
  if (text.size() < 256) return text;
  text.resize(kFormattedMax);
  text.resize(FormatTime(format, time, text));
  return text;
}

}  // namespace

size_t TimeCore::Answer(absl::string_view format, std::span<char> reply) {
  return answers_.Format(format, absl::ToTimeT(clock_.Now()), reply);
}

absl::StatusOr<TimeReading> TimeCore::Read(absl::string_view format, absl::string_view time_zone) {
  if (format.size() > kFormatMax) {
    return FieldError("format", "FORMAT_TOO_LONG",
                      absl::StrCat("format is ", format.size(), " bytes; at most ", kFormatMax));
  }
  TimeReading reading;
  reading.test_clock = test_clock_ != nullptr && test_clock_->active();
  reading.time = clock_.Now();
  const std::time_t second = absl::ToTimeT(reading.time);
  BrokenDownTime broken_down;
  if (time_zone.empty()) {
    broken_down = BreakDown(second);
    reading.zone = broken_down.zoned.tm_zone;
  } else {
    const absl::StatusOr<absl::TimeZone> zone = FindTimeZone(time_zone);
    if (!zone.ok()) return zone.status();
    broken_down = BreakDown(second, *zone);
    reading.zone = std::string(time_zone);
  }
  reading.formatted = Formatted(format, broken_down);
  reading.utc_offset_seconds = static_cast<int>(broken_down.zoned.tm_gmtoff);
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
