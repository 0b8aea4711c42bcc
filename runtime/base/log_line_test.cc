#include "runtime/base/log_line.h"

#include <cmath>

#include <gtest/gtest.h>

#include "absl/strings/match.h"

namespace rawgate {
namespace {

LogEvent Event(absl::string_view message, absl::Span<const LogField> fields = {}) {
  return {.time = absl::UnixEpoch() + absl::Milliseconds(1'005),
          .level = "info",
          .program = "rawgate-x",
          .message = message,
          .fields = fields};
}

std::string Text(absl::string_view message) {
  const std::string line = TextLine(Event(message));
  EXPECT_TRUE(absl::StartsWith(line, "1970-01-01T00:00:01.005Z info rawgate-x: ")) << line;
  return line.substr(line.find(": ") + 2);
}

std::string Json(absl::string_view message) {
  const std::string line = JsonLine(Event(message));
  const std::string before =
      R"({"time":"1970-01-01T00:00:01.005Z","level":"info","program":"rawgate-x","message":")";
  EXPECT_TRUE(absl::StartsWith(line, before)) << line;
  EXPECT_TRUE(absl::EndsWith(line, "\"}")) << line;
  return line.substr(before.size(), line.size() - before.size() - 2);
}

TEST(LogLine, WhatIsHarmlessStays) {
  EXPECT_EQ(Text("plain, 汉字 and \"quotes\" \\ too"), "plain, 汉字 and \"quotes\" \\ too");
  EXPECT_EQ(Json("plain, 汉字 and \"quotes\" \\ too"), R"(plain, 汉字 and \"quotes\" \\ too)");
}

TEST(LogLine, ControlCharactersAreEscaped) {
  EXPECT_EQ(Text("a\nb\r\tc\x1b[2J\x7f"), R"(a\nb\r\tc\x1b[2J\x7f)");
  EXPECT_EQ(Json("a\nb\r\tc\x1b[2J\x7f"), R"(a\nb\r\tc\u001b[2J\u007f)");
  EXPECT_EQ(Text(absl::string_view("\0", 1)), R"(\x00)");
  EXPECT_EQ(Json(absl::string_view("\0", 1)), R"(\u0000)");
}

TEST(LogLine, WhatEndsLinesOrTurnsTextElsewhereIsEscaped) {
  // C1's next line, the line separator, the right-to-left override.
  const absl::string_view text = "\xc2\x85\xe2\x80\xa8\xe2\x80\xae";
  EXPECT_EQ(Text(text), R"(\u0085\u2028\u202e)");
  EXPECT_EQ(Json(text), R"(\u0085\u2028\u202e)");
}

TEST(LogLine, BytesThatAreNotUtf8AreEscapedOneByOne) {
  // A lone byte, a sequence cut short, an overlong one, half of a surrogate pair.
  EXPECT_EQ(Text("\xff|\xe6\xb1"), R"(\xff|\xe6\xb1)");
  EXPECT_EQ(Text("\xc0\xaf|\xed\xa0\x80"), R"(\xc0\xaf|\xed\xa0\x80)");
  EXPECT_EQ(Json("\xff|\xc0\xaf"), R"(\\xff|\\xc0\\xaf)");
}

TEST(LogLine, FieldsOfEveryKind) {
  const LogField fields[] = {{"method", "/a/B"}, {"summary", "two words\n"},
                             {"count", 3},       {"seconds", 0.25},
                             {"late", true},     {"user", ""},
                             {"quote", "a\"b\\"}};
  EXPECT_TRUE(absl::EndsWith(
      TextLine(Event("call", fields)),
      R"(: call method=/a/B summary="two words\n" count=3 seconds=0.25 late=true quote="a\"b\\")"));
  EXPECT_TRUE(absl::EndsWith(
      JsonLine(Event("call", fields)),
      R"("call","method":"/a/B","summary":"two words\n","count":3,"seconds":0.25,"late":true,)"
      R"("quote":"a\"b\\"})"));
}

TEST(LogLine, NumbersThatJsonDoesNotHave) {
  const LogField fields[] = {{"nan", std::nan("")}, {"infinity", HUGE_VAL}};
  EXPECT_TRUE(
      absl::EndsWith(JsonLine(Event("", fields)), R"("message":"","nan":null,"infinity":null})"));
}

TEST(LogLine, LongTextIsCut) {
  const std::string text(kLogTextBytesMax + 7, 'x');
  EXPECT_EQ(Text(text), std::string(kLogTextBytesMax, 'x') + "... (7 bytes more)");
}

}  // namespace
}  // namespace rawgate
