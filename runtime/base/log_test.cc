#include "runtime/base/log.h"

#include <gtest/gtest.h>

namespace rawgate {
namespace {

TEST(LogLimit, LetsSomeThroughEachMinuteAndCountsTheOthers) {
  LogLimit limit(2);
  const absl::Time start = absl::UnixEpoch();
  EXPECT_EQ(limit.Take(start), 0u);
  EXPECT_EQ(limit.Take(start + absl::Seconds(30)), 0u);
  EXPECT_EQ(limit.Take(start + absl::Seconds(31)), std::nullopt);
  EXPECT_EQ(limit.Take(start + absl::Seconds(59)), std::nullopt);
  EXPECT_EQ(limit.Take(start + absl::Seconds(60)), 2u);
  EXPECT_EQ(limit.Take(start + absl::Seconds(61)), 0u);
  EXPECT_EQ(limit.Take(start + absl::Seconds(62)), std::nullopt);
}

TEST(LogLimit, AClockThatIsSetBackSilencesNothing) {
  LogLimit limit(1);
  const absl::Time start = absl::UnixEpoch();
  EXPECT_EQ(limit.Take(start), 0u);
  EXPECT_EQ(limit.Take(start - absl::Hours(1)), 0u);
}

}  // namespace
}  // namespace rawgate
