#include "cli/bench/load_plan.h"

#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

const absl::Time kBegin = absl::FromUnixSeconds(1000);

TEST(LoadPlan, AClosedLoopStartsAtOnceUntilTheEnd) {
  LoadPlan plan({.duration = absl::Seconds(10), .warmup = absl::Seconds(1)});
  plan.Begin(kBegin);
  EXPECT_EQ(plan.Next(kBegin)->time, kBegin);
  EXPECT_EQ(plan.Next(kBegin + absl::Seconds(5))->time, kBegin + absl::Seconds(5));
  EXPECT_EQ(plan.measured_from(), kBegin + absl::Seconds(1));
  EXPECT_TRUE(plan.Next(kBegin + absl::Seconds(10.9)).has_value());
  EXPECT_FALSE(plan.Next(kBegin + absl::Seconds(11)).has_value());
}

TEST(LoadPlan, AnOpenLoopKeepsItsTimesHoweverLateItIs) {
  LoadPlan plan({.duration = absl::Seconds(1), .rate = 10});
  plan.Begin(kBegin);
  for (int i = 0; i < 10; ++i) {
    const auto start = plan.Next(kBegin + absl::Seconds(2));
    ASSERT_TRUE(start.has_value());
    EXPECT_EQ(start->number, static_cast<uint64_t>(i));
    EXPECT_EQ(start->time, kBegin + absl::Milliseconds(100 * i));
  }
  EXPECT_FALSE(plan.Next(kBegin + absl::Seconds(2)).has_value());
}

TEST(LoadPlan, EndsAfterSoManyRequests) {
  LoadPlan plan({.requests = 2});
  plan.Begin(kBegin);
  EXPECT_TRUE(plan.Next(kBegin).has_value());
  EXPECT_TRUE(plan.Next(kBegin + absl::Hours(1)).has_value());
  EXPECT_FALSE(plan.Next(kBegin).has_value());
}

TEST(LoadPlan, StopsWhenTold) {
  LoadPlan plan({});
  plan.Begin(kBegin);
  EXPECT_TRUE(plan.Next(kBegin).has_value());
  plan.Stop();
  EXPECT_FALSE(plan.Next(kBegin).has_value());
}

}  // namespace
}  // namespace rawgate::cli
