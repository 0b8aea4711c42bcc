// What time it is: as bytes for the socket, as numbers and text for the API.
#pragma once

#include <span>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "runtime/base/clock.h"
#include "services/time/kernel_clock.h"
#include "services/time/test_clock.h"
#include "services/time/time_format_cache.h"
#include "services/time/time_formatter.h"

namespace rawgate::timesvc {

struct TimeReading : FormattedTime {
  absl::Time time;
  // As in kernel_clock.h; the source is at most a second old.
  std::string clock_source;
  ClockSynchronization synchronization = ClockSynchronization::kUnknown;
  absl::Duration uptime;
  // The test clock was set to something when it told `time`.
  bool test_clock = false;
};

class TimeCore {
 public:
  // Longest answer to a datagram; clients read no more.
  static constexpr size_t kAnswerMax = FormatCache::kTextMax;

  // Tells the time of `clock`, which outlives this object.
  explicit TimeCore(Clock& clock) : clock_(clock) {}
  // Tells the time of `test_clock`, which may be set while this object is in use and outlives it.
  explicit TimeCore(TestClock& test_clock) : clock_(test_clock), test_clock_(&test_clock) {}

  // What is told. Null: there is no test clock, and it cannot be set.
  TestClock* test_clock() const { return test_clock_; }

  // Whether it is set to anything but the truth. Any thread.
  bool test_clock_active() const { return test_clock_ != nullptr && test_clock_->active(); }

  // Any thread.
  absl::Time Now() { return clock_.Now(); }
  // What is told when the machine's clock says `real`. Any thread.
  absl::Time At(absl::Time real) const { return test_clock_ ? test_clock_->At(real) : real; }

  // How much is told while `real` passes, as far as is set now. Any thread.
  absl::Duration ToldWithin(absl::Duration real) const;
  // As TestClock::RealTimeUntil(). Any thread.
  absl::Duration RealTimeUntil(absl::Time told);

  // Now, in the server's zone, as FormatTime() has it: at most kAnswerMax bytes. Loop thread.
  size_t Answer(absl::string_view format, std::span<char> reply);

  // Now. Arguments and errors are those of TimeFormatter::Make(). Any thread.
  absl::StatusOr<TimeReading> Read(absl::string_view format, absl::string_view time_zone);

 private:
  std::string ClockSource(absl::Duration uptime);

  Clock& clock_;
  TestClock* const test_clock_ = nullptr;
  // Of the loop thread.
  FormatCache answers_;

  absl::Mutex mutex_;
  std::string clock_source_ ABSL_GUARDED_BY(mutex_);
  // By the time since boot, which nobody sets.
  absl::Duration clock_source_read_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
};

}  // namespace rawgate::timesvc
