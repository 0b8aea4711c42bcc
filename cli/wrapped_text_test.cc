#include "cli/wrapped_text.h"

#include <string>

#include "cli/display_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using testing::ElementsAre;

TEST(WrappedText, BreaksAtBlanks) {
  EXPECT_THAT(WrappedText("one two three four", 12), ElementsAre("one two", "three four"));
  EXPECT_THAT(WrappedText("twelve chars and", 12), ElementsAre("twelve chars", "and"));
  EXPECT_THAT(WrappedText("short", 12), ElementsAre("short"));
  EXPECT_THAT(WrappedText("", 12), ElementsAre(""));
}

TEST(WrappedText, BreaksLongWordsAnywhere) {
  EXPECT_THAT(WrappedText("0123456789abcdefgh", 12), ElementsAre("0123456789ab", "cdefgh"));
  EXPECT_THAT(WrappedText("x 0123456789abcdefgh", 12), ElementsAre("x", "0123456789ab", "cdefgh"));
}

TEST(WrappedText, WideCharactersAreNeverCutInHalf) {
  EXPECT_THAT(WrappedText("一二三四五六七", 13), ElementsAre("一二三四五六", "七"));
  EXPECT_THAT(WrappedText("a一二三四五六七", 12), ElementsAre("a一二三四五", "六七"));
}

TEST(WrappedText, ARowDoesNotBeginWithClosingPunctuation) {
  EXPECT_THAT(WrappedText("一二三四五六，七", 12), ElementsAre("一二三四五", "六，七"));
  EXPECT_THAT(WrappedText("一二三四五（六七）", 12), ElementsAre("一二三四五", "（六七）"));
}

TEST(WrappedText, LineEndsBeginRows) {
  EXPECT_THAT(WrappedText("one\ntwo\r\nthree\n", 20), ElementsAre("one", "two", "three"));
  EXPECT_THAT(WrappedText("\n\n", 20), ElementsAre("", ""));
  EXPECT_THAT(WrappedText("a\rb", 20), ElementsAre("a\\rb"));
}

TEST(WrappedText, EscapesAreNotBroken) {
  EXPECT_THAT(WrappedText("0123456789\x1b[2J", 12), ElementsAre("0123456789", "\\x1b[2J"));
}

TEST(WrappedText, NothingIsWiderOrLost) {
  const std::string text =
      "Some words, 一些很长的汉字没有空格；e\u0301\u0323 👨\u200d👩\u200d👧 \x1b[31m \xff and\ttabs";
  for (int columns = 12; columns < 100; ++columns) {
    std::string joined;
    for (const std::string& row : WrappedText(text, columns)) {
      EXPECT_LE(DisplayWidth(row), columns) << row;
      joined += row;
    }
    std::string without_blanks = Printable(text);
    std::erase(without_blanks, ' ');
    std::erase(joined, ' ');
    EXPECT_EQ(joined, without_blanks);
  }
}

}  // namespace
}  // namespace rawgate::cli
