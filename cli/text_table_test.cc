#include "cli/text_table.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

TextTable Table() {
  TextTable table({{.heading = "NAME"},
                   {.heading = "ID", .optional = true},
                   {.heading = "SIZE", .align = TextTable::Align::kRight},
                   {.heading = "NOTE"}});
  table.AddRow({"a", "", "1", "x"});
  table.AddRow({"bbbbb", "", "1000", ""});
  return table;
}

TEST(TextTable, IsAsWideAsItsCellsWithoutBlanksAtTheEnd) {
  EXPECT_EQ(Table().Text(), "NAME   SIZE  NOTE\na         1  x\nbbbbb  1000\n");
}

TEST(TextTable, PaintMovesNothing) {
  TextTable table = Table();
  table.Paint(0, Style::kGood);
  EXPECT_EQ(table.Text(), Table().Text());
  EXPECT_EQ(table.Text(/*colored=*/true),
            "\x1b[1mNAME\x1b[0m   \x1b[1mSIZE\x1b[0m  \x1b[1mNOTE\x1b[0m\n"
            "a         1  x\n"
            "\x1b[32mbbbbb\x1b[0m  1000\n");
}

TEST(TextTable, ShortensWhatIsTooWideForATerminal) {
  TextTable table({{.heading = "NAME"}, {.heading = "ADDRESS", .shortened = true}});
  table.AddRow({"echo", "unix:///run/rawgate/echo.sock"});
  EXPECT_EQ(table.Text(false, 24), "NAME  ADDRESS\necho  ...wgate/echo.sock\n");
  EXPECT_EQ(table.Text(false, 35), table.Text());
  EXPECT_EQ(table.Text(false, 34), "NAME  ADDRESS\necho  ...:///run/rawgate/echo.sock\n");
  // No further than that.
  EXPECT_EQ(table.Text(false, 5), "NAME  ADDRESS\necho  ...echo.sock\n");
  EXPECT_EQ(table.PlainText(), "echo\tunix:///run/rawgate/echo.sock\n");
}

TEST(TextTable, PlainHasEveryField) {
  EXPECT_EQ(Table().In(OutputFormat::kPlain, true), "a\t\t1\tx\nbbbbb\t\t1000\t\n");
  EXPECT_EQ(Table().In(OutputFormat::kText, false), Table().Text());
}

}  // namespace
}  // namespace rawgate::cli
