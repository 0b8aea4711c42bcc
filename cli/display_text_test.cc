#include "cli/display_text.h"

#include "cli/text_table.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

TEST(Printable, LeavesPlainTextAlone) {
  EXPECT_EQ(Printable("Hello, C:\\dir \"x\""), "Hello, C:\\dir \"x\"");
  EXPECT_EQ(Printable("\u4F60\u597D, \u00E9\u00DF \U0001F600"),
            "\u4F60\u597D, \u00E9\u00DF \U0001F600");
  EXPECT_EQ(Printable(""), "");
}

TEST(Printable, EscapesControlBytes) {
  EXPECT_EQ(Printable("a\r\n\tb"), "a\\r\\n\\tb");
  EXPECT_EQ(Printable(std::string("\0\x1b[2J\x07\x7f", 7)), "\\x00\\x1b[2J\\x07\\x7f");
}

TEST(Printable, EscapesC1AndInvisibleCodePoints) {
  // U+009B is a control sequence introducer for a terminal, U+202E turns the rest of the line
  // around.
  EXPECT_EQ(Printable("\u009B31m"), "\\u{9b}31m");
  EXPECT_EQ(Printable("a\u202Eb\u2066c\u200Bd\uFEFF"), "a\\u{202e}b\\u{2066}c\\u{200b}d\\u{feff}");
}

TEST(Printable, KeepsJoinersThatHoldSomethingTogether) {
  const std::string family = "\U0001F468\u200D\U0001F469\u200D\U0001F467";
  EXPECT_EQ(Printable(family), family);
  EXPECT_EQ(Printable("\u0645\u06CC\u200C\u062E"), "\u0645\u06CC\u200C\u062E");
  EXPECT_EQ(Printable("a\u200Db\u200C"), "a\\u{200d}b\\u{200c}");
}

TEST(Printable, EscapesMarksWithoutALetter) {
  EXPECT_EQ(Printable("\u0301e\u0301"), "\\u{301}e\u0301");
  EXPECT_EQ(Printable("\n\u0301"), "\\n\\u{301}");
  std::string pile = "e";
  for (int i = 0; i < 12; ++i) pile += "\u0301";
  EXPECT_EQ(Printable(pile), pile.substr(0, 21) + "\\u{301}\\u{301}");
}

TEST(Printable, EscapesBytesThatAreNoUtf8) {
  EXPECT_EQ(Printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(Printable("\xc0\xaf"), "\\xc0\\xaf") << "overlong";
  EXPECT_EQ(Printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "surrogate";
  EXPECT_EQ(Printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "above U+10FFFF";
  EXPECT_EQ(Printable("\x9b"
                      "2J"),
            "\\x9b2J");
  EXPECT_EQ(Printable("\xe4\xbd"), "\\xe4\\xbd") << "cut off";
}

TEST(Printable, EveryByteComesOutSafe) {
  for (int byte = 0; byte < 256; ++byte) {
    for (const char shown : Printable(std::string(1, static_cast<char>(byte)))) {
      EXPECT_GE(shown, 0x20) << byte;
      EXPECT_LT(shown, 0x7f) << byte;
    }
  }
}

TEST(PrintableLines, KeepsNewlinesOnly) {
  EXPECT_EQ(PrintableLines("a\nb\x1b[2J\r\n\nc"), "a\nb\\x1b[2J\\r\n\nc");
  EXPECT_EQ(PrintableLines(""), "");
}

TEST(WholeCharacters, LeavesOutWhatHasOnlyBegun) {
  EXPECT_EQ(WholeCharacters(""), 0u);
  EXPECT_EQ(WholeCharacters("a\u4F60"), 4u);
  EXPECT_EQ(WholeCharacters("a\xe4\xbd"), 1u);
  EXPECT_EQ(WholeCharacters("a\xf0"), 1u);
  EXPECT_EQ(WholeCharacters("a\xf0\x9f\x98"), 1u);
  // What will never be one does not wait for the rest.
  EXPECT_EQ(WholeCharacters("\x80\x80\x80\x80\x80"), 5u);
  EXPECT_EQ(WholeCharacters("a\xbd"), 2u);
}

TEST(IsUtf8, TellsTextFromOtherBytes) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8(absl::string_view("a\0\u4F60", 5)));
  EXPECT_FALSE(IsUtf8("b\xff.txt"));
  EXPECT_FALSE(IsUtf8("\xe4\xbd"));
}

TEST(Quoted, TellsDifferentInputsApart) {
  EXPECT_EQ(Quoted("a\"b\\n\n"), R"("a\"b\\n\n")");
  EXPECT_EQ(Quoted(""), R"("")");
}

TEST(Quoted, IsCutToTheColumns) {
  EXPECT_EQ(Quoted("helloworld", 12), R"("helloworld")");
  EXPECT_EQ(Quoted("helloworld", 11), R"("hellow"...)");
  EXPECT_EQ(Quoted("helloworld", 5), R"(""...)");
  // A character is shown whole or not at all.
  EXPECT_EQ(Quoted("ab\x01\x01", 9), R"("ab"...)");
  EXPECT_EQ(Quoted("\u4F60\u597D\u4F60\u597D", 9), "\"\u4F60\u597D\"...");
  for (int columns = 5; columns < 40; ++columns) {
    EXPECT_LE(DisplayWidth(Quoted("some\x1b longer \u4F60\u597D text \n", columns)), columns);
  }
}

TEST(DisplayWidth, CountsColumns) {
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("\u4F60\u597D"), 4) << "wide";
  EXPECT_EQ(DisplayWidth("e\u0301"), 1) << "combining";
}

TEST(DisplayWidth, IsTheMostThatATerminalTakes) {
  EXPECT_EQ(DisplayWidth("\u2764\uFE0F"), 2) << "a heart as an emoji";
  EXPECT_EQ(DisplayWidth("\U0001F468\u200D\U0001F469"), 4) << "joined";
  EXPECT_EQ(DisplayWidth("\U0001FAE9"), 2) << "younger than the C library";
}

TEST(ShortenedFront, KeepsTheEnd) {
  EXPECT_EQ(ShortenedFront("notes.txt", 9), "notes.txt");
  EXPECT_EQ(ShortenedFront("notes.txt", 8), "...s.txt");
  EXPECT_EQ(ShortenedFront("\u4F60\u597D\u4F60\u597D", 6), "...\u597D");
  EXPECT_EQ(ShortenedFront("a\nb", 80), "a\\nb");
}

TEST(HumanSize, UsesBinaryUnits) {
  EXPECT_EQ(HumanSize(0), "0 B");
  EXPECT_EQ(HumanSize(1023), "1023 B");
  EXPECT_EQ(HumanSize(1024), "1.0 KiB");
  EXPECT_EQ(HumanSize(1536), "1.5 KiB");
  EXPECT_EQ(HumanSize(uint64_t{1023} * 1024 + 1023), "1.0 MiB");
  EXPECT_EQ(HumanSize(UINT64_MAX), "16.0 EiB");
}

TEST(HumanDuration, UsesOneOrTwoUnits) {
  EXPECT_EQ(HumanDuration(absl::Seconds(-1)), "0s");
  EXPECT_EQ(HumanDuration(absl::Microseconds(850)), "850us");
  EXPECT_EQ(HumanDuration(absl::Milliseconds(12)), "12ms");
  EXPECT_EQ(HumanDuration(absl::Milliseconds(3240)), "3.2s");
  EXPECT_EQ(HumanDuration(absl::Seconds(59)), "59s");
  EXPECT_EQ(HumanDuration(absl::Seconds(312)), "5m12s");
  EXPECT_EQ(HumanDuration(absl::Minutes(125)), "2h5m");
  EXPECT_EQ(HumanDuration(absl::Hours(76)), "3d4h");
}

TEST(Counted, AgreesWithTheNumber) {
  EXPECT_EQ(Counted(1, "byte"), "1 byte");
  EXPECT_EQ(Counted(0, "byte"), "0 bytes");
  EXPECT_EQ(Counted(2, "entry", "entries"), "2 entries");
}

TEST(TextTable, AlignsColumns) {
  TextTable table({{"NAME"}, {"OPEN", TextTable::Align::kRight}, {"LAST"}});
  EXPECT_TRUE(table.empty());
  table.AddRow({"echo", "3", ""});
  table.AddRow({"\u4F60\u597D/tcp", "12345", "x"});
  EXPECT_EQ(table.Text(),
            "NAME       OPEN  LAST\n"
            "echo          3\n"
            "\u4F60\u597D/tcp  12345  x\n");
}

}  // namespace
}  // namespace rawgate::cli
