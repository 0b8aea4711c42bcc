#include "cli/bench/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace rawgate::cli {

void LatencyHistogram::Add(absl::Duration latency) {
  const auto value = static_cast<uint64_t>(
      std::clamp<int64_t>(absl::ToInt64Nanoseconds(latency), 0, static_cast<int64_t>(kMax)));
  ++counts_[BucketOf(value)];
  ++count_;
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value);
}

void LatencyHistogram::Merge(const LatencyHistogram& other) {
  for (size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

absl::Duration LatencyHistogram::min() const {
  return count_ == 0 ? absl::ZeroDuration() : absl::Nanoseconds(static_cast<int64_t>(min_));
}

absl::Duration LatencyHistogram::mean() const {
  return count_ == 0 ? absl::ZeroDuration() : absl::Nanoseconds(sum_ / static_cast<double>(count_));
}

absl::Duration LatencyHistogram::Percentile(double percent) const {
  if (count_ == 0) return absl::ZeroDuration();
  const double place = std::ceil(percent / 100 * static_cast<double>(count_));
  const auto wanted = std::clamp<uint64_t>(static_cast<uint64_t>(place), 1, count_);
  uint64_t passed = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    passed += counts_[i];
    if (passed >= wanted) {
      return absl::Nanoseconds(static_cast<int64_t>(std::clamp(EndOf(i), min_, max_)));
    }
  }
  return max();
}

std::vector<LatencyHistogram::Octave> LatencyHistogram::Octaves() const {
  std::vector<Octave> octaves;
  size_t filled = 0;
  for (size_t begin = 0; begin < kBuckets; begin += size_t{1} << kSubBits) {
    uint64_t count = 0;
    for (size_t i = begin; i < begin + (size_t{1} << kSubBits); ++i) count += counts_[i];
    if (count == 0 && octaves.empty()) continue;
    // Those below the first power of two that is divided count as one.
    const uint64_t from = begin == 0 ? 0 : EndOf(begin - 1) + 1;
    octaves.push_back({absl::Nanoseconds(static_cast<int64_t>(from)), count});
    if (count > 0) filled = octaves.size();
  }
  octaves.resize(filled);
  return octaves;
}

size_t LatencyHistogram::BucketOf(uint64_t nanoseconds) {
  if (nanoseconds < (uint64_t{1} << kSubBits)) return nanoseconds;
  const auto exponent = static_cast<size_t>(std::bit_width(nanoseconds)) - 1 - kSubBits;
  const uint64_t mantissa = (nanoseconds >> exponent) & ((uint64_t{1} << kSubBits) - 1);
  return ((exponent + 1) << kSubBits) + mantissa;
}

uint64_t LatencyHistogram::EndOf(size_t bucket) {
  if (bucket < (size_t{1} << kSubBits)) return bucket;
  const size_t exponent = (bucket >> kSubBits) - 1;
  const uint64_t mantissa = (uint64_t{1} << kSubBits) | (bucket & ((size_t{1} << kSubBits) - 1));
  return ((mantissa + 1) << exponent) - 1;
}

}  // namespace rawgate::cli
