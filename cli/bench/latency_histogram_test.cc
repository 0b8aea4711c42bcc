#include "cli/bench/latency_histogram.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

TEST(LatencyHistogram, NothingIsZero) {
  const LatencyHistogram none;
  EXPECT_EQ(none.count(), 0u);
  EXPECT_EQ(none.min(), absl::ZeroDuration());
  EXPECT_EQ(none.max(), absl::ZeroDuration());
  EXPECT_EQ(none.mean(), absl::ZeroDuration());
  EXPECT_EQ(none.Percentile(50), absl::ZeroDuration());
  EXPECT_TRUE(none.Octaves().empty());
}

TEST(LatencyHistogram, PercentilesAreThoseOfTheSortedValues) {
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> distribution(12, 2);
  std::vector<int64_t> values(100'000);
  LatencyHistogram histogram;
  for (int64_t& value : values) {
    value = static_cast<int64_t>(distribution(random));
    histogram.Add(absl::Nanoseconds(value));
  }
  std::sort(values.begin(), values.end());
  for (const double percent : {0.0, 1.0, 50.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
    const size_t place = static_cast<size_t>(
        std::max(1.0, std::ceil(percent / 100 * static_cast<double>(values.size()))));
    const int64_t exact = values[place - 1];
    const int64_t told = absl::ToInt64Nanoseconds(histogram.Percentile(percent));
    EXPECT_GE(told, exact) << percent;
    EXPECT_LE(told, exact + exact / 64 + 1) << percent;
  }
  EXPECT_EQ(absl::ToInt64Nanoseconds(histogram.min()), values.front());
  EXPECT_EQ(absl::ToInt64Nanoseconds(histogram.max()), values.back());
}

TEST(LatencyHistogram, OneValueIsEveryPercentile) {
  LatencyHistogram histogram;
  histogram.Add(absl::Microseconds(123));
  for (const double percent : {0.0, 50.0, 100.0}) {
    EXPECT_EQ(histogram.Percentile(percent), absl::Microseconds(123));
  }
  EXPECT_EQ(histogram.mean(), absl::Microseconds(123));
}

TEST(LatencyHistogram, WhatIsOutOfRangeCountsAsItsEnd) {
  LatencyHistogram histogram;
  histogram.Add(absl::Seconds(-1));
  histogram.Add(absl::Hours(100));
  histogram.Add(absl::InfiniteDuration());
  EXPECT_EQ(histogram.min(), absl::ZeroDuration());
  EXPECT_EQ(histogram.max(), absl::Hours(1));
  EXPECT_EQ(histogram.count(), 3u);
}

TEST(LatencyHistogram, MergedItIsAsIfAllHadBeenAddedToOne) {
  LatencyHistogram one;
  LatencyHistogram other;
  LatencyHistogram both;
  for (int i = 1; i <= 1000; ++i) {
    (i % 3 == 0 ? one : other).Add(absl::Microseconds(i));
    both.Add(absl::Microseconds(i));
  }
  one.Merge(other);
  one.Merge(LatencyHistogram());
  EXPECT_EQ(one.count(), both.count());
  EXPECT_EQ(one.min(), both.min());
  EXPECT_EQ(one.mean(), both.mean());
  for (const double percent : {10.0, 50.0, 99.0}) {
    EXPECT_EQ(one.Percentile(percent), both.Percentile(percent));
  }
}

TEST(LatencyHistogram, OctavesCoverAllWithoutGaps) {
  LatencyHistogram histogram;
  histogram.Add(absl::Nanoseconds(5));
  histogram.Add(absl::Nanoseconds(1024));
  histogram.Add(absl::Nanoseconds(2047));
  histogram.Add(absl::Nanoseconds(8192));
  const auto octaves = histogram.Octaves();
  ASSERT_GE(octaves.size(), 4u);
  uint64_t all = 0;
  for (const auto& octave : octaves) all += octave.count;
  EXPECT_EQ(all, 4u);
  EXPECT_EQ(octaves.back().from, absl::Nanoseconds(8192));
  EXPECT_EQ(octaves[octaves.size() - 2].count, 0u);
  EXPECT_EQ(octaves[octaves.size() - 4].from, absl::Nanoseconds(1024));
  EXPECT_EQ(octaves[octaves.size() - 4].count, 2u);
}

}  // namespace
}  // namespace rawgate::cli
