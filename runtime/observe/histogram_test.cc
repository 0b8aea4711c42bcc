#include "runtime/observe/histogram.h"

#include <numeric>

#include <gtest/gtest.h>

namespace rawgate::observe {
namespace {

constexpr size_t kLast = LatencyHistogram::kBoundsNanoseconds.size();

TEST(LatencyHistogram, BoundsAreInclusiveAndInOrder) {
  for (size_t i = 0; i < kLast; ++i) {
    LatencyHistogram histogram;
    const int64_t bound = LatencyHistogram::kBoundsNanoseconds[i];
    EXPECT_GT(bound, i == 0 ? 0 : LatencyHistogram::kBoundsNanoseconds[i - 1]);
    histogram.Observe(absl::Nanoseconds(bound));
    EXPECT_EQ(histogram.snapshot().counts[i], 1u) << i;
    histogram.Observe(absl::Nanoseconds(bound + 1));
    EXPECT_EQ(histogram.snapshot().counts[i + 1], 1u) << i;
  }
}

TEST(LatencyHistogram, SumAndNumber) {
  LatencyHistogram histogram;
  histogram.Observe(absl::Milliseconds(3));
  histogram.Observe(absl::Milliseconds(2), 10);
  const LatencyHistogram::Snapshot snapshot = histogram.snapshot();
  EXPECT_EQ(snapshot.sum_nanoseconds, 23'000'000u);
  EXPECT_EQ(std::accumulate(snapshot.counts.begin(), snapshot.counts.end(), uint64_t{0}), 11u);
}

TEST(LatencyHistogram, NoTimeAndLessThanNone) {
  LatencyHistogram histogram;
  histogram.Observe(absl::ZeroDuration());
  histogram.Observe(absl::Seconds(-5));
  EXPECT_EQ(histogram.snapshot().counts[0], 2u);
  EXPECT_EQ(histogram.snapshot().sum_nanoseconds, 0u);
}

TEST(LatencyHistogram, WithoutEnd) {
  LatencyHistogram histogram;
  histogram.Observe(absl::Hours(10));
  EXPECT_EQ(histogram.snapshot().counts[kLast], 1u);
}

TEST(LatencyHistogram, SnapshotsAddUp) {
  LatencyHistogram histogram;
  histogram.Observe(absl::Milliseconds(3));
  LatencyHistogram::Snapshot sum = histogram.snapshot();
  sum.Add(histogram.snapshot());
  EXPECT_EQ(sum.sum_nanoseconds, 6'000'000u);
  EXPECT_EQ(std::accumulate(sum.counts.begin(), sum.counts.end(), uint64_t{0}), 2u);
}

}  // namespace
}  // namespace rawgate::observe
