#include "cli/suggestion.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<std::string> kKnown = {"ps", "start", "stop", "stat", "watch", "put", "get"};

TEST(EditDistance, CountsEditsAndSwapsOfNeighbours) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
  EXPECT_EQ(EditDistance("abc", ""), 3u);
  EXPECT_EQ(EditDistance("stop", "stop"), 0u);
  EXPECT_EQ(EditDistance("sart", "start"), 1u);
  EXPECT_EQ(EditDistance("statr", "start"), 1u);
  EXPECT_EQ(EditDistance("strat", "start"), 1u);
  EXPECT_EQ(EditDistance("pt", "tp"), 1u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
  // No place is changed twice: "ca" to "ac" to "abc" would be two.
  EXPECT_EQ(EditDistance("ca", "abc"), 3u);
}

TEST(EditDistance, IsTheSameBothWays) {
  for (const std::string& a : kKnown) {
    for (const std::string& b : kKnown) EXPECT_EQ(EditDistance(a, b), EditDistance(b, a));
  }
}

TEST(Nearest, AreThoseWithTheFewestEdits) {
  EXPECT_THAT(Nearest("sart", kKnown), ElementsAre("start"));
  EXPECT_THAT(Nearest("strat", kKnown), ElementsAre("start", "stat"));
  EXPECT_THAT(Nearest("sp", kKnown), ElementsAre("ps"));
  EXPECT_THAT(Nearest("wacth", kKnown), ElementsAre("watch"));
  EXPECT_THAT(Nearest("pet", kKnown), ElementsAre("put", "get"));
}

TEST(Nearest, AreThoseThatBeginWithItWhereNoneIsNear) {
  EXPECT_THAT(Nearest("wat", {"watch"}), ElementsAre("watch"));
  EXPECT_THAT(Nearest("conn", {"connections", "config"}), ElementsAre("connections"));
}

TEST(Nearest, AreThoseThatItIsInOrThatAreInItWhereNoneBeginsSo) {
  EXPECT_THAT(Nearest("no_color", {"color", "output"}), ElementsAre("color"));
  EXPECT_THAT(Nearest("clock", {"test-clock", "close"}), ElementsAre("test-clock"));
  EXPECT_THAT(Nearest("token", {"new-token", "put"}), ElementsAre("new-token"));
  // Too short to say anything.
  EXPECT_THAT(Nearest("tupput", {"up", "put"}), IsEmpty());
}

TEST(Nearest, NoneIsBetterThanAGuess) {
  EXPECT_THAT(Nearest("frobnicate", kKnown), IsEmpty());
  EXPECT_THAT(Nearest("", kKnown), IsEmpty());
  EXPECT_THAT(Nearest("x", {"y"}), IsEmpty());
  EXPECT_THAT(Nearest(std::string(65, 's'), kKnown), IsEmpty());
}

TEST(Nearest, NamesEachOnce) { EXPECT_THAT(Nearest("ech", {"echo", "echo"}), ElementsAre("echo")); }

TEST(DidYouMean, IsAQuestion) {
  EXPECT_EQ(DidYouMean("wacth", kKnown), " Did you mean watch?");
  EXPECT_EQ(DidYouMean("pet", kKnown), " Did you mean put or get?");
  EXPECT_EQ(DidYouMean("a", {"ab", "ac", "ad"}), " Did you mean ab, ac or ad?");
  EXPECT_EQ(DidYouMean("a", {"ab", "ac", "ad", "ae"}), "");
  EXPECT_EQ(DidYouMean("nothing", kKnown), "");
}

TEST(DidYouMean, IsSafeForATerminal) {
  EXPECT_EQ(DidYouMean("echo", {"echo\x1b"}), " Did you mean echo\\x1b?");
}

}  // namespace
}  // namespace rawgate::cli
