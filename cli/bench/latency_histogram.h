// How long things took, in a table of fixed size.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "absl/time/time.h"

namespace rawgate::cli {

// Nanoseconds up to an hour in buckets that grow with them, as an HDR histogram has: none is wider
// than a 64th of its values. 16 KiB. One thread.
class LatencyHistogram {
 public:
  // What is negative counts as 0, what is over an hour as an hour.
  void Add(absl::Duration latency);
  void Merge(const LatencyHistogram& other);

  uint64_t count() const { return count_; }
  absl::Duration min() const;
  absl::Duration max() const { return absl::Nanoseconds(static_cast<int64_t>(max_)); }
  absl::Duration mean() const;
  // So long at most took `percent` (0 to 100) of all, the one at that place included; at most
  // 1/64 more than it did. Zero when there are none.
  absl::Duration Percentile(double percent) const;

  // Counts by powers of two: of latencies from `from` to twice that, from the first that is not
  // empty to the last.
  struct Octave {
    absl::Duration from;
    uint64_t count = 0;
  };
  std::vector<Octave> Octaves() const;

 private:
  // 2^6 buckets for each power of two.
  static constexpr int kSubBits = 6;
  static constexpr uint64_t kMax = 3'600'000'000'000;
  static constexpr size_t kBuckets = size_t{(42 - kSubBits + 1) + 1} << kSubBits;

  static size_t BucketOf(uint64_t nanoseconds);
  // The largest value that falls into it.
  static uint64_t EndOf(size_t bucket);

  std::array<uint64_t, kBuckets> counts_{};
  uint64_t count_ = 0;
  uint64_t min_ = kMax;
  uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace rawgate::cli
