// How fast a total grows.
#pragma once

#include <cstdint>

#include "absl/time/time.h"

namespace rawgate::cli {

// A rate that follows what happens now without jumping: the mean of the last seconds, or of the
// last two samples where those are further apart. One thread.
class SmoothRate {
 public:
  // It was `total` in all at `now`, which does not go back.
  void Sample(absl::Time now, uint64_t total);

  // 0 before the second sample, and where the total is less than it was.
  double PerSecond() const;
  // Two samples are there.
  bool known() const { return count_ > 1; }

 private:
  static constexpr int kSamplesMax = 32;
  static constexpr absl::Duration kWindow = absl::Seconds(4);

  struct Point {
    absl::Time time;
    uint64_t total = 0;
  };
  // A ring: the oldest is at next_ - count_.
  Point points_[kSamplesMax];
  int count_ = 0;
  int next_ = 0;
};

}  // namespace rawgate::cli
