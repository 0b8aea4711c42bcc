#include "services/time/time_ticks.h"

#include <algorithm>

namespace rawgate::timesvc {

TickSequence::TickSequence(absl::Duration interval, absl::Time now)
    : interval_(interval), next_(Reached(now) + interval), awaited_(next_) {}

std::optional<TickSequence::Tick> TickSequence::Take(absl::Time now, absl::Duration apart) {
  const absl::Duration stride = std::max(interval_, absl::Ceil(apart, interval_));
  const absl::Time reached = Reached(now);
  const absl::Duration passed_over = reached - next_;
  const bool early = passed_over < stride - interval_;
  if (!early || passed_over < absl::ZeroDuration()) next_ = reached + interval_;
  awaited_ = next_ + stride - interval_;
  if (early) return std::nullopt;
  absl::Duration rest;
  const int64_t missed = absl::IDivDuration(passed_over, interval_, &rest);
  return Tick{reached, static_cast<uint64_t>(missed)};
}

absl::Time TickSequence::Reached(absl::Time now) const {
  return absl::UnixEpoch() + absl::Floor(now - absl::UnixEpoch(), interval_);
}

}  // namespace rawgate::timesvc
