// How long things took: counts in buckets of fixed bounds, cheap enough for every request.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace rawgate::observe {

// Any thread. Additions are relaxed, as those of Counter.
class LatencyHistogram {
 public:
  // Upper bounds, inclusive. What took longer than the last is counted in one bucket more.
  static constexpr std::array<int64_t, 18> kBoundsNanoseconds = {
      50'000,      100'000,       250'000,       500'000,       1'000'000,      2'500'000,
      5'000'000,   10'000'000,    25'000'000,    50'000'000,    100'000'000,    250'000'000,
      500'000'000, 1'000'000'000, 2'500'000'000, 5'000'000'000, 10'000'000'000, 60'000'000'000};

  struct Snapshot {
    // Each bucket for itself, not cumulative.
    std::array<uint64_t, kBoundsNanoseconds.size() + 1> counts{};
    uint64_t sum_nanoseconds = 0;

    void Add(const Snapshot& other);
  };

  // `count` things that took so long each. A negative time, which a clock that is set back makes,
  // counts as none.
  void Observe(absl::Duration duration, uint64_t count = 1);
  Snapshot snapshot() const;

 private:
  std::array<std::atomic<uint64_t>, kBoundsNanoseconds.size() + 1> counts_{};
  std::atomic<uint64_t> sum_nanoseconds_{0};
};

}  // namespace rawgate::observe
