#include "runtime/observe/histogram.h"

#include <algorithm>

namespace rawgate::observe {

void LatencyHistogram::Snapshot::Add(const Snapshot& other) {
  for (size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
  sum_nanoseconds += other.sum_nanoseconds;
}

void LatencyHistogram::Observe(absl::Duration duration, uint64_t count) {
  const int64_t nanoseconds = std::max<int64_t>(0, absl::ToInt64Nanoseconds(duration));
  const auto bound =
      std::lower_bound(kBoundsNanoseconds.begin(), kBoundsNanoseconds.end(), nanoseconds);
  counts_[static_cast<size_t>(bound - kBoundsNanoseconds.begin())].fetch_add(
      count, std::memory_order_relaxed);
  if (nanoseconds == 0) return;
  sum_nanoseconds_.fetch_add(static_cast<uint64_t>(nanoseconds) * count, std::memory_order_relaxed);
}

LatencyHistogram::Snapshot LatencyHistogram::snapshot() const {
  Snapshot snapshot;
  for (size_t i = 0; i < counts_.size(); ++i) {
    snapshot.counts[i] = counts_[i].load(std::memory_order_relaxed);
  }
  snapshot.sum_nanoseconds = sum_nanoseconds_.load(std::memory_order_relaxed);
  return snapshot;
}

}  // namespace rawgate::observe
