#include "services/time/test_clock.h"

#include <utility>

#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/testing/manual_clock.h"

namespace rawgate::timesvc {
namespace {

class TestClockTest : public ::testing::Test {
 protected:
  const absl::Time start_ = absl::FromUnixSeconds(1'234'567'890);
  testing::ManualClock real_{start_};
  TestClock clock_{real_};
};

TEST_F(TestClockTest, IsTheRealClockUntilSet) {
  EXPECT_FALSE(clock_.active());
  EXPECT_TRUE(clock_.setting().IsReal());
  EXPECT_EQ(clock_.Now(), start_);
  real_.Advance(absl::Nanoseconds(1));
  EXPECT_EQ(clock_.Now(), start_ + absl::Nanoseconds(1));
  EXPECT_EQ(clock_.At(absl::UnixEpoch()), absl::UnixEpoch());
}

TEST_F(TestClockTest, IsAheadOrBehind) {
  ASSERT_TRUE(clock_.Set({.offset = absl::Seconds(5)}).ok());
  EXPECT_TRUE(clock_.active());
  EXPECT_EQ(clock_.setting().offset, absl::Seconds(5));
  EXPECT_EQ(clock_.Now(), start_ + absl::Seconds(5));
  real_.Advance(absl::Nanoseconds(3));
  EXPECT_EQ(clock_.Now(), start_ + absl::Seconds(5) + absl::Nanoseconds(3));
  ASSERT_TRUE(clock_.Set({.offset = -ClockSetting::kOffsetMax}).ok());
  EXPECT_EQ(clock_.Now(), start_ + absl::Nanoseconds(3) - absl::Hours(24) * 36'525);
}

TEST_F(TestClockTest, RunsAtAnotherRateFromTheMomentOfSettingOn) {
  real_.Advance(absl::Hours(1));
  const absl::Time set_at = real_.Now();
  ASSERT_TRUE(clock_.Set({.offset = absl::Seconds(10), .rate = 2}).ok());
  EXPECT_EQ(clock_.Now(), set_at + absl::Seconds(10));
  real_.Advance(absl::Seconds(3));
  EXPECT_EQ(clock_.Now(), set_at + absl::Seconds(16));
  EXPECT_EQ(clock_.At(set_at - absl::Seconds(1)), set_at + absl::Seconds(8));
  ASSERT_TRUE(clock_.Set({.rate = 0.5}).ok());
  EXPECT_EQ(clock_.Now(), set_at + absl::Seconds(3));
  real_.Advance(absl::Seconds(3));
  EXPECT_EQ(clock_.Now(), set_at + absl::Seconds(4.5));
}

TEST_F(TestClockTest, StandsStill) {
  ASSERT_TRUE(clock_.Set({.offset = absl::Seconds(-1), .frozen = true}).ok());
  real_.Advance(absl::Hours(1));
  EXPECT_EQ(clock_.Now(), start_ - absl::Seconds(1));
  EXPECT_EQ(clock_.At(start_), start_ - absl::Seconds(1));
}

TEST_F(TestClockTest, AnEmptySettingIsTheRealClockAgain) {
  ASSERT_TRUE(clock_.Set({.offset = absl::Seconds(5), .ntp = {.kiss_code = "RATE"}}).ok());
  ASSERT_TRUE(clock_.Set({}).ok());
  EXPECT_FALSE(clock_.active());
  EXPECT_EQ(clock_.Now(), start_);
  EXPECT_EQ(clock_.setting().ntp, NtpOverride{});
}

TEST_F(TestClockTest, IsActiveWhenOnlyNtpIsOverridden) {
  ASSERT_TRUE(clock_.Set({.ntp = {.stratum = 0}}).ok());
  EXPECT_TRUE(clock_.active());
  EXPECT_EQ(clock_.Now(), start_);
  EXPECT_EQ(clock_.setting().ntp.stratum, 0u);
  ASSERT_TRUE(clock_.Set({.rate = 1}).ok());
  EXPECT_FALSE(clock_.active());
  ASSERT_TRUE(clock_.Set({.frozen = true}).ok());
  EXPECT_TRUE(clock_.active());
}

TEST_F(TestClockTest, SaysHowLongUntil) {
  const absl::Time told = start_ + absl::Seconds(60);
  EXPECT_EQ(clock_.RealTimeUntil(told), absl::Seconds(60));
  EXPECT_EQ(clock_.RealTimeUntil(start_), absl::ZeroDuration());
  EXPECT_EQ(clock_.RealTimeUntil(start_ - absl::Seconds(1)), absl::ZeroDuration());
  ASSERT_TRUE(clock_.Set({.offset = absl::Seconds(20), .rate = 4}).ok());
  EXPECT_EQ(clock_.RealTimeUntil(told), absl::Seconds(10));
  real_.Advance(absl::Seconds(4));
  EXPECT_EQ(clock_.RealTimeUntil(told), absl::Seconds(6));
  ASSERT_TRUE(clock_.Set({.frozen = true}).ok());
  EXPECT_EQ(clock_.RealTimeUntil(told), absl::InfiniteDuration());
  EXPECT_EQ(clock_.RealTimeUntil(start_), absl::ZeroDuration());
}

TEST_F(TestClockTest, TellsSubscribersOfEveryChange) {
  int changes = 0;
  absl::Time seen;
  TestClock::Subscription subscription = clock_.Subscribe([&] {
    ++changes;
    seen = clock_.Now();
  });
  ASSERT_TRUE(clock_.Set({.offset = absl::Seconds(5)}).ok());
  EXPECT_EQ(changes, 1);
  EXPECT_EQ(seen, start_ + absl::Seconds(5));
  EXPECT_FALSE(clock_.Set({.rate = 2000}).ok());
  EXPECT_EQ(changes, 1);

  int others = 0;
  {
    TestClock::Subscription other = clock_.Subscribe([&] { ++others; });
    const TestClock::Subscription moved = std::move(other);
    ASSERT_TRUE(clock_.Set({}).ok());
  }
  ASSERT_TRUE(clock_.Set({}).ok());
  EXPECT_EQ(others, 1);
  EXPECT_EQ(changes, 3);
  subscription = TestClock::Subscription();
  ASSERT_TRUE(clock_.Set({}).ok());
  EXPECT_EQ(changes, 3);
}

TEST_F(TestClockTest, RefusesABadSettingAndKeepsTheOldOne) {
  ASSERT_TRUE(clock_.Set({.offset = absl::Seconds(5)}).ok());
  const absl::Status status = clock_.Set({.offset = absl::Seconds(1), .rate = -1});
  EXPECT_EQ(ReasonOf(status), "BAD_RATE");
  EXPECT_EQ(clock_.setting().offset, absl::Seconds(5));
  EXPECT_EQ(clock_.Now(), start_ + absl::Seconds(5));
}

}  // namespace
}  // namespace rawgate::timesvc
