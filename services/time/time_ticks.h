// Which ticks of a clock are due: the whole multiples of an interval that it reaches. It does no
// waiting.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/time/time.h"

namespace rawgate::timesvc {

// One thread.
class TickSequence {
 public:
  struct Tick {
    // A whole multiple of the interval since 1970-01-01 00:00:00 UTC.
    absl::Time time;
    // Ticks since the one before that were never taken.
    uint64_t missed;
  };

  // Begins with the first tick after `now`. `interval` is positive.
  TickSequence(absl::Duration interval, absl::Time now);

  // The newest tick that the clock, which says `now`, has reached, unless that was taken before, or
  // is less than `apart` later than the one that was. When the clock was set back it goes on from
  // there, and what was missed before that is not told.
  std::optional<Tick> Take(absl::Time now, absl::Duration apart = absl::ZeroDuration());

  // The tick to wait for, as of the last Take().
  absl::Time next() const { return awaited_; }

 private:
  // The newest multiple at or before `now`.
  absl::Time Reached(absl::Time now) const;

  const absl::Duration interval_;
  // The first that was neither taken nor missed yet, and the first that may be taken.
  absl::Time next_;
  absl::Time awaited_;
};

}  // namespace rawgate::timesvc
