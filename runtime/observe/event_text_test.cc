// What events show of the bytes and texts of strangers.
#include <string>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "runtime/observe/event_log.h"

namespace rawgate::observe {
namespace {

TEST(Sample, KeepsTheBeginning) {
  const std::string bytes(1000, '\xfe');
  EXPECT_EQ(Sample(bytes.data(), 3), "\xfe\xfe\xfe");
  EXPECT_EQ(Sample(bytes.data(), bytes.size()).size(), kSampleBytesMax);
  EXPECT_EQ(Sample(nullptr, 0), "");
}

TEST(Summary, PassesUtf8) {
  EXPECT_EQ(Summary("uname -a"), "uname -a");
  EXPECT_EQ(Summary("é 時 \xf0\x9f\x9a\x80"), "é 時 \xf0\x9f\x9a\x80");
  EXPECT_EQ(Summary(""), "");
}

TEST(Summary, ReplacesControlCharacters) {
  EXPECT_EQ(Summary("a\tb\r\n\x1b[2J\x7f"), "a?b???[2J?");
  EXPECT_EQ(Summary(absl::string_view("\0", 1)), "?");
  EXPECT_EQ(Summary("\xc2\x9b"
                    "31m"),
            "?31m")
      << "C1 control sequence introducer";
}

TEST(Summary, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(Summary("\xff"), "?");
  EXPECT_EQ(Summary("a\xc3"), "a?") << "cut short";
  EXPECT_EQ(Summary("\xc3"
                    "A"),
            "?A")
      << "a character after a broken one is kept";
  EXPECT_EQ(Summary("\xc0\xaf"), "??") << "overlong";
  EXPECT_EQ(Summary("\xed\xa0\x80"), "???") << "surrogate";
  EXPECT_EQ(Summary("\xf4\x90\x80\x80"), "????") << "beyond U+10FFFF";
}

TEST(Summary, IsCutBetweenCharacters) {
  EXPECT_EQ(Summary(std::string(300, 'a')), std::string(256, 'a'));
  const std::string text = std::string(255, 'a') + "é";
  EXPECT_EQ(Summary(text), std::string(255, 'a'));
  EXPECT_EQ(Printable("éé", 3), "é");
}

}  // namespace
}  // namespace rawgate::observe
