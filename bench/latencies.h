// Latencies of one run, kept as counts: constant memory, quantiles within 1 %.
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace rawgate::bench {

using Clock = std::chrono::steady_clock;

// Buckets are linear within each power of two.
class Latencies {
 public:
  void Add(Clock::duration latency) {
    const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(latency).count();
    ++counts_[BucketOf(nanoseconds > 0 ? static_cast<uint64_t>(nanoseconds) : 0)];
    ++total_;
  }

  uint64_t total() const { return total_; }

  // The latency, in microseconds, that a share `q` of all did not exceed.
  double Quantile(double q) const {
    const auto rank = static_cast<uint64_t>(q * static_cast<double>(total_));
    uint64_t seen = 0;
    for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
      seen += counts_[bucket];
      if (seen > rank) return static_cast<double>(LowerBound(bucket)) / 1000;
    }
    return 0;
  }

 private:
  static constexpr size_t kSubBits = 7;
  static constexpr size_t kSub = size_t{1} << kSubBits;
  static constexpr size_t kBuckets = (64 - kSubBits + 1) * kSub;

  static size_t BucketOf(uint64_t value) {
    if (value < kSub) return value;
    const auto exponent = static_cast<size_t>(std::bit_width(value)) - 1 - kSubBits;
    return (exponent + 1) * kSub + ((value >> exponent) - kSub);
  }
  static uint64_t LowerBound(size_t bucket) {
    if (bucket < kSub) return bucket;
    const size_t exponent = bucket / kSub - 1;
    return (bucket % kSub + kSub) << exponent;
  }

  std::array<uint64_t, kBuckets> counts_{};
  uint64_t total_ = 0;
};

}  // namespace rawgate::bench
