#include "runtime/base/log.h"

#include <gmock/gmock.h>
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

TEST(LogFormat, Names) {
  EXPECT_EQ(ParseLogFormat("auto"), LogFormat::kAuto);
  EXPECT_EQ(ParseLogFormat("text"), LogFormat::kText);
  EXPECT_EQ(ParseLogFormat("json"), LogFormat::kJson);
  EXPECT_EQ(ParseLogFormat("xml"), std::nullopt);
}

class LoggedLine : public testing::Test {
 protected:
  ~LoggedLine() override { StartLogging("test", "info", LogFormat::kText); }
};

TEST_F(LoggedLine, FieldsBelongToTheirEventAlone) {
  ASSERT_TRUE(StartLogging("rawgate-x", "info", LogFormat::kJson));
  testing::internal::CaptureStderr();
  Log(spdlog::level::warn, "{} stays as it is", {{"peer", "a b"}, {"count", 2}});
  spdlog::info("{} line", "next");
  Log(spdlog::level::debug, "below the level", {{"count", 3}});
  const std::string lines = testing::internal::GetCapturedStderr();
  EXPECT_THAT(lines, testing::MatchesRegex(
                         R"(\{"time":"[0-9T:.-]+Z","level":"warning","program":"rawgate-x",)"
                         R"("message":"\{\} stays as it is","peer":"a b","count":2\})"
                         "\n"
                         R"(\{"time":"[0-9T:.-]+Z","level":"info","program":"rawgate-x",)"
                         R"("message":"next line"\})"
                         "\n"));
}

TEST_F(LoggedLine, AutoIsJsonWhereNoTerminalIs) {
  testing::internal::CaptureStderr();
  ASSERT_TRUE(StartLogging("rawgate-x", "info", LogFormat::kAuto));
  spdlog::info("to a file");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::StartsWith("{"));
}

TEST_F(LoggedLine, UnknownLevelsAreRefused) {
  EXPECT_FALSE(StartLogging("rawgate-x", "loud", LogFormat::kText));
}

TEST(LogLimit, AClockThatIsSetBackSilencesNothing) {
  LogLimit limit(1);
  const absl::Time start = absl::UnixEpoch();
  EXPECT_EQ(limit.Take(start), 0u);
  EXPECT_EQ(limit.Take(start - absl::Hours(1)), 0u);
}

}  // namespace
}  // namespace rawgate
