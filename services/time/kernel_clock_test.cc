#include "services/time/kernel_clock.h"

#include "gtest/gtest.h"

namespace rawgate::timesvc {
namespace {

KernelClockState Told(int status, int result) {
  timex told{};
  told.status = status;
  told.maxerror = 1500;
  told.esterror = 20;
  return FromTimex(told, result);
}

TEST(FromTimexTest, TellsHowFarTheClockMayBeOff) {
  const KernelClockState state = Told(STA_PLL, TIME_OK);
  EXPECT_EQ(state.synchronization, ClockSynchronization::kSynchronized);
  EXPECT_EQ(state.max_error, absl::Microseconds(1500));
  EXPECT_EQ(state.estimated_error, absl::Microseconds(20));
  EXPECT_FALSE(state.leap_insert);
  EXPECT_FALSE(state.leap_delete);
}

TEST(FromTimexTest, IsSynchronizedOnlyWhileTheKernelSaysSo) {
  EXPECT_EQ(Told(0, TIME_ERROR).synchronization, ClockSynchronization::kUnsynchronized);
  EXPECT_EQ(Told(STA_UNSYNC, TIME_OK).synchronization, ClockSynchronization::kUnsynchronized);
  EXPECT_EQ(Told(0, -1).synchronization, ClockSynchronization::kUnknown);
}

TEST(FromTimexTest, WarnsOfALeapSecondUntilItIsOver) {
  for (const int result : {TIME_OK, TIME_INS, TIME_OOP}) {
    EXPECT_TRUE(Told(STA_PLL | STA_INS, result).leap_insert) << result;
    EXPECT_FALSE(Told(STA_PLL | STA_INS, result).leap_delete) << result;
  }
  EXPECT_TRUE(Told(STA_PLL | STA_DEL, TIME_DEL).leap_delete);
  for (const int status : {STA_INS, STA_DEL}) {
    const KernelClockState after = Told(STA_PLL | status, TIME_WAIT);
    EXPECT_FALSE(after.leap_insert);
    EXPECT_FALSE(after.leap_delete);
    EXPECT_EQ(after.synchronization, ClockSynchronization::kSynchronized);
  }
}

}  // namespace
}  // namespace rawgate::timesvc
