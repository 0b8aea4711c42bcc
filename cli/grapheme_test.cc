#include "cli/grapheme.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using testing::ElementsAre;

std::vector<std::string> Graphemes(absl::string_view text) {
  std::vector<std::string> graphemes;
  while (!text.empty()) {
    graphemes.emplace_back(text.substr(0, GraphemeLength(text)));
    text.remove_prefix(graphemes.back().size());
  }
  return graphemes;
}

TEST(Grapheme, IsWhatPeopleCallACharacter) {
  EXPECT_THAT(Graphemes("a你é"), ElementsAre("a", "你", "é"));
  EXPECT_THAT(Graphemes("e\u0301\u0323x"), ElementsAre("e\u0301\u0323", "x")) << "marks";
  EXPECT_THAT(Graphemes("\u1112\u1161\u11ab!"), ElementsAre("\u1112\u1161\u11ab", "!"))
      << "Hangul of several parts";
  EXPECT_THAT(Graphemes("\u845b\U000E0100\u57ce"), ElementsAre("\u845b\U000E0100", "\u57ce"))
      << "a variant of an ideograph";
}

TEST(Grapheme, EmojiStayTogether) {
  EXPECT_THAT(Graphemes("👨\u200d👩\u200d👧x"), ElementsAre("👨\u200d👩\u200d👧", "x"));
  EXPECT_THAT(Graphemes("👍🏽👍"), ElementsAre("👍🏽", "👍"));
  EXPECT_THAT(Graphemes("❤\ufe0f\u200d🔥"), ElementsAre("❤\ufe0f\u200d🔥"));
  EXPECT_THAT(Graphemes("🇨🇳🇩🇪🇫"), ElementsAre("🇨🇳", "🇩🇪", "🇫"));
}

TEST(Grapheme, JoinersHoldOnlyWhatTheyJoin) {
  EXPECT_THAT(Graphemes("a\u200db"), ElementsAre("a", "\u200d", "b"));
  EXPECT_THAT(Graphemes("👨\u200dx"), ElementsAre("👨", "\u200d", "x"));
  EXPECT_THAT(Graphemes("👨\u200d"), ElementsAre("👨", "\u200d"));
  EXPECT_THAT(Graphemes("\u0645\u06cc\u200c\u062e"),
              ElementsAre("\u0645", "\u06cc\u200c", "\u062e"))
      << "Persian";
}

TEST(Grapheme, WhatIsNoCharacterStandsAlone) {
  EXPECT_THAT(Graphemes("\u0301a"), ElementsAre("\u0301", "a"));
  EXPECT_THAT(Graphemes("\n\u0301"), ElementsAre("\n", "\u0301"));
  EXPECT_THAT(Graphemes("\xff\xe4\xbd"), ElementsAre("\xff", "\xe4", "\xbd"));
  EXPECT_THAT(Graphemes("e\xcc"), ElementsAre("e", "\xcc"));
}

TEST(Grapheme, IsBounded) {
  std::string pile = "e";
  for (int i = 0; i < 100; ++i) pile += "\u0301";
  EXPECT_EQ(GraphemeLength(pile), 1u + 10 * 2);
}

TEST(LastGraphemeLength, IsThatOfTheLast) {
  EXPECT_EQ(LastGraphemeLength(""), 0u);
  EXPECT_EQ(LastGraphemeLength("a你"), 3u);
  EXPECT_EQ(LastGraphemeLength("ae\u0301"), 3u);
  EXPECT_EQ(LastGraphemeLength("a👨\u200d👩"), 11u);
}

}  // namespace
}  // namespace rawgate::cli
