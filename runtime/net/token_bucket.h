// A token bucket.
#pragma once

#include <cstdint>

namespace rawgate::net {

// Monotonic time in nanoseconds, from any origin.
using Nanoseconds = int64_t;

// By the steady clock.
Nanoseconds MonotonicNow();

// How fast a bucket fills. It holds at most one second's worth, and at least one token.
class TokenRate {
 public:
  // `per_second` is positive.
  explicit TokenRate(double per_second);
  Nanoseconds interval() const { return interval_; }
  Nanoseconds depth() const { return depth_; }

 private:
  Nanoseconds interval_;
  Nanoseconds depth_;
};

// Full at first. Kept as one number, the time at which it will be full again (the "theoretical
// arrival time" of the generic cell rate algorithm, ITU-T I.371), so that a table of them is small.
class TokenBucket {
 public:
  // Takes one token; false, and nothing taken, when there is none.
  bool Take(const TokenRate& rate, Nanoseconds now) {
    const Nanoseconds full_at = full_at_ > now ? full_at_ : now;
    if (full_at - now > rate.depth() - rate.interval()) return false;
    full_at_ = full_at + rate.interval();
    return true;
  }

 private:
  Nanoseconds full_at_ = INT64_MIN;
};

}  // namespace rawgate::net
