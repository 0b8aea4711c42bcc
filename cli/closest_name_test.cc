#include "cli/closest_name.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ClosestNames, AreThoseWithFewWrongLetters) {
  const std::vector<std::string> names = {"filename", "filesize", "offset", "length"};
  EXPECT_THAT(ClosestNames("filenam", names), ElementsAre("filename"));
  EXPECT_THAT(ClosestNames("FileNmae", names), ElementsAre("filename"));
  EXPECT_THAT(ClosestNames("ofset", names), ElementsAre("offset"));
  EXPECT_THAT(ClosestNames("file", names), ElementsAre("filename", "filesize"));
  EXPECT_THAT(ClosestNames("zebra", names), IsEmpty());
  EXPECT_THAT(ClosestNames("", names), IsEmpty());
}

TEST(ClosestNames, TheNearestComesFirstAndThreeAreEnough) {
  EXPECT_THAT(ClosestNames("stop", {"top", "shop", "stop", "step", "s"}),
              ElementsAre("stop", "top", "shop"));
}

TEST(DidYouMean, NamesThem) {
  EXPECT_EQ(DidYouMean("stpo", {"stop"}), ". Did you mean stop?");
  EXPECT_EQ(DidYouMean("st", {"stop", "start", "step"}), ". Did you mean stop, start or step?");
  EXPECT_EQ(DidYouMean("x", {"stop"}), "");
}

}  // namespace
}  // namespace rawgate::cli
