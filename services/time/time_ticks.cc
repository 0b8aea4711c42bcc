#include "services/time/time_ticks.h"

namespace rawgate::timesvc {

TickSequence::TickSequence(absl::Duration interval, absl::Time now)
    : interval_(interval), next_(Reached(now) + interval) {}

std::optional<TickSequence::Tick> TickSequence::Take(absl::Time now) {
  const absl::Time reached = Reached(now);
  const absl::Duration passed_over = reached - next_;
  next_ = reached + interval_;
  if (passed_over < absl::ZeroDuration()) return std::nullopt;
  absl::Duration rest;
  const int64_t missed = absl::IDivDuration(passed_over, interval_, &rest);
  return Tick{reached, static_cast<uint64_t>(missed)};
}

absl::Time TickSequence::Reached(absl::Time now) const {
  return absl::UnixEpoch() + absl::Floor(now - absl::UnixEpoch(), interval_);
}

}  // namespace rawgate::timesvc
