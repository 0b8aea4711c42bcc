#include "cli/smooth_rate.h"

#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

TEST(SmoothRate, MeanOfTheLastSeconds) {
  SmoothRate rate;
  absl::Time now = absl::UnixEpoch();
  EXPECT_EQ(rate.PerSecond(), 0);
  uint64_t bytes = 0;
  const auto go = [&](int steps, uint64_t each) {
    for (int i = 0; i < steps; ++i) {
      rate.Sample(now, bytes);
      now += absl::Milliseconds(200);
      bytes += each;
    }
    rate.Sample(now, bytes);
  };
  go(100, 200);
  EXPECT_NEAR(rate.PerSecond(), 1000, 1);
  // What was is forgotten.
  go(100, 20);
  EXPECT_NEAR(rate.PerSecond(), 100, 1);
  go(100, 0);
  EXPECT_EQ(rate.PerSecond(), 0);
  // Bytes that have to be moved again.
  bytes = 0;
  go(1, 0);
  EXPECT_EQ(rate.PerSecond(), 0);
}

}  // namespace
}  // namespace rawgate::cli
