#include "services/time/time_ticks.h"

#include "gtest/gtest.h"

namespace rawgate::timesvc {
namespace {

constexpr absl::Duration kSecond = absl::Seconds(1);

absl::Time At(double seconds) { return absl::UnixEpoch() + absl::Seconds(seconds); }

// Expects the tick at `time`.
void ExpectTick(TickSequence& ticks, absl::Time now, absl::Time time, uint64_t missed) {
  const auto tick = ticks.Take(now);
  ASSERT_TRUE(tick.has_value()) << now;
  EXPECT_EQ(tick->time, time);
  EXPECT_EQ(tick->missed, missed);
}

TEST(TickSequenceTest, BeginsWithTheNextMultiple) {
  TickSequence ticks(kSecond, At(10.25));
  EXPECT_EQ(ticks.next(), At(11));
  EXPECT_FALSE(ticks.Take(At(10.999)).has_value());
  ExpectTick(ticks, At(11), At(11), 0);
  EXPECT_EQ(ticks.next(), At(12));
  EXPECT_EQ(TickSequence(kSecond, At(10)).next(), At(11)) << "the one that is now has passed";
}

TEST(TickSequenceTest, TakesEachTickOnce) {
  TickSequence ticks(kSecond, At(10.25));
  ExpectTick(ticks, At(11.001), At(11), 0);
  EXPECT_FALSE(ticks.Take(At(11.002)).has_value());
  EXPECT_FALSE(ticks.Take(At(11.999)).has_value());
  ExpectTick(ticks, At(12.3), At(12), 0);
}

TEST(TickSequenceTest, TellsTheNewestAndCountsThoseBefore) {
  TickSequence ticks(kSecond, At(10.25));
  ExpectTick(ticks, At(15.5), At(15), 4);
  ExpectTick(ticks, At(16), At(16), 0);
  ExpectTick(ticks, At(16 + 200.0 * 365 * 86'400), At(16 + 200.0 * 365 * 86'400),
             200ull * 365 * 86'400 - 1);
}

TEST(TickSequenceTest, KeepsThemApartAndCountsThoseBetween) {
  constexpr absl::Duration kApart = absl::Milliseconds(2500);
  TickSequence ticks(kSecond, At(10.25));
  EXPECT_FALSE(ticks.Take(At(10.5), kApart).has_value());
  EXPECT_EQ(ticks.next(), At(13));
  EXPECT_FALSE(ticks.Take(At(12.9), kApart).has_value());
  const auto tick = ticks.Take(At(13.2), kApart);
  ASSERT_TRUE(tick.has_value());
  EXPECT_EQ(tick->time, At(13));
  EXPECT_EQ(tick->missed, 2u);
  EXPECT_FALSE(ticks.Take(At(15.9), kApart).has_value());
  EXPECT_EQ(ticks.next(), At(16));
  // Not apart any more, and set back before it was.
  ExpectTick(ticks, At(15.9), At(15), 1);
  EXPECT_FALSE(ticks.Take(At(5.5), kApart).has_value());
  EXPECT_EQ(ticks.next(), At(8));
}

TEST(TickSequenceTest, GoesOnWhereTheClockWasSetBackTo) {
  TickSequence ticks(kSecond, At(1000.25));
  ExpectTick(ticks, At(1001), At(1001), 0);
  EXPECT_FALSE(ticks.Take(At(500.5)).has_value());
  EXPECT_EQ(ticks.next(), At(501));
  ExpectTick(ticks, At(501), At(501), 0);
}

TEST(TickSequenceTest, AClockThatIsSlewedBackAcrossATickReachesItAgain) {
  TickSequence ticks(kSecond, At(10.25));
  ExpectTick(ticks, At(11), At(11), 0);
  EXPECT_FALSE(ticks.Take(At(10.999)).has_value());
  ExpectTick(ticks, At(11), At(11), 0);
}

TEST(TickSequenceTest, AnyIntervalHasItsMultiplesSince1970) {
  TickSequence days(absl::Hours(24), At(86'399.5));
  EXPECT_EQ(days.next(), At(86'400));
  TickSequence thirds(absl::Nanoseconds(333'333'333), At(1));
  EXPECT_EQ(thirds.next(), absl::UnixEpoch() + 4 * absl::Nanoseconds(333'333'333));
  TickSequence tenths(absl::Milliseconds(100), absl::FromUnixMillis(1'234'567'890'050));
  const absl::Time tenth = absl::FromUnixMillis(1'234'567'890'100);
  ExpectTick(tenths, tenth, tenth, 0);
}

TEST(TickSequenceTest, TimesBefore1970TickToo) {
  TickSequence ticks(absl::Seconds(10), At(-5));
  EXPECT_EQ(ticks.next(), At(0));
  EXPECT_FALSE(ticks.Take(At(-20.5)).has_value());
  EXPECT_EQ(ticks.next(), At(-20));
  ExpectTick(ticks, At(-5), At(-10), 1);
}

}  // namespace
}  // namespace rawgate::timesvc
