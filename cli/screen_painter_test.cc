#include "cli/screen_painter.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string Update(const std::string& bytes) { return "\x1b[?2026h" + bytes + "\x1b[?2026l"; }

class Painter : public testing::Test {
 protected:
  std::string Paint(const std::vector<std::string>& rows) {
    std::vector<ScreenLine> lines;
    for (const std::string& row : rows) lines.emplace_back(row);
    return painter_.Paint(lines);
  }

  ScreenPainter painter_{false};
};

TEST_F(Painter, FirstEverything) {
  EXPECT_EQ(Paint({"one", "", "two"}), Update("\x1b[H\x1b[2J\x1b[1Hone\x1b[3Htwo"));
}

TEST_F(Painter, ThenWhatChanged) {
  Paint({"echo  running   12", "time"});
  EXPECT_EQ(Paint({"echo  running   12", "time"}), "");
  EXPECT_EQ(Paint({"echo  running   13", "time"}), Update("\x1b[1;18H3"));
  EXPECT_EQ(Paint({"echo  running   1", "time"}), Update("\x1b[1;18H\x1b[K"));
  EXPECT_EQ(Paint({"echo  failed    1", "times"}), Update("\x1b[1;7Hfailed \x1b[2;5Hs"));
  EXPECT_EQ(Paint({"echo  failed    1"}), Update("\x1b[2H\x1b[K"));
}

TEST_F(Painter, EverythingAgainAfterForget) {
  Paint({"one"});
  painter_.Forget();
  EXPECT_EQ(Paint({"one"}), Update("\x1b[H\x1b[2J\x1b[1Hone"));
}

TEST_F(Painter, RowsOfOtherWidthsAreNotPatched) {
  Paint({"你好 1"});
  EXPECT_EQ(Paint({"你好 2"}), Update("\x1b[1H\x1b[K你好 2"));
  EXPECT_EQ(Paint({"plain"}), Update("\x1b[1H\x1b[Kplain"));
  EXPECT_EQ(Paint({"plaid"}), Update("\x1b[1;5Hd"));
}

TEST_F(Painter, NoStylesWithoutColours) {
  EXPECT_THAT(painter_.Paint({ScreenLine("x", Style::kSelected)}), Not(HasSubstr("m")));
  EXPECT_EQ(painter_.Paint({ScreenLine("x", Style::kBad)}), "");
}

TEST(PainterWithColours, StylesAreChanges) {
  ScreenPainter painter(true);
  painter.Paint({ScreenLine("a").Add("bc", Style::kGood)});
  EXPECT_EQ(painter.Paint({ScreenLine("a").Add("bc", Style::kBad)}),
            Update("\x1b[1;2H\x1b[31mbc\x1b[0m"));
  EXPECT_EQ(painter.Paint({ScreenLine("a").Select(4)}), Update("\x1b[1H\x1b[7ma   \x1b[0m"));
}

}  // namespace
}  // namespace rawgate::cli
