#include "services/exec/exec_environment.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/base/status.h"

namespace rawgate::exec {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

TEST(BaseEnvironmentTest, OfOurOwnUserIsWhatWeHave) {
  setenv("PATH", "/opt/tools:/usr/bin:/bin", 1);
  setenv("TZ", "Asia/Tokyo", 1);
  setenv("RAWGATE_SECRET", "hidden", 1);
  const EnvironmentVariables base =
      BaseEnvironment({.change = false, .groups = {}, .name = "someone", .home = "/home/someone"});
  EXPECT_THAT(base, Contains(Pair("PATH", "/opt/tools:/usr/bin:/bin")));
  EXPECT_THAT(base, Contains(Pair("TZ", "Asia/Tokyo")));
  EXPECT_THAT(base, Contains(Key("HOME")));
  EXPECT_THAT(base, Not(Contains(Key("RAWGATE_SECRET"))));
}

TEST(BaseEnvironmentTest, OfAnotherUserIsThatUsers) {
  setenv("PATH", "/home/caller/bin:/usr/bin:/bin", 1);
  setenv("HOME", "/home/caller", 1);
  setenv("USER", "root", 1);
  const EnvironmentVariables base =
      BaseEnvironment({.change = true, .groups = {}, .name = "someone", .home = "/home/someone"});
  EXPECT_THAT(base, Contains(Pair("PATH", Not(::testing::HasSubstr("/home/caller")))));
  EXPECT_THAT(base, Contains(Pair("HOME", "/home/someone")));
  EXPECT_THAT(base, Contains(Pair("USER", "someone")));
  EXPECT_THAT(base, Contains(Pair("LOGNAME", "someone")));
}

TEST(MakeEnvironmentTest, LaterValuesReplaceEarlierOnes) {
  EXPECT_THAT(
      MakeEnvironment({{"A", "1"}, {"B", "2"}}, {{"B", "3"}, {"C", ""}, {"B", "4=5"}}, "job-7"),
      ElementsAre("RAWGATE_JOB_ID=job-7", "A=1", "B=4=5", "C="));
}

TEST(CheckEnvironmentTest, LimitsAreInclusive) {
  EXPECT_TRUE(CheckEnvironment(EnvironmentVariables(kEnvironmentVariablesMax, {"A", "1"})).ok());
  const std::string value(kEnvironmentBytesMax - 3, 'x');
  EXPECT_TRUE(CheckEnvironment({{"A", value}}).ok());
  EXPECT_EQ(ReasonOf(CheckEnvironment({{"A", value + "x"}})), "BAD_ENVIRONMENT");
}

}  // namespace
}  // namespace rawgate::exec
