#include "services/time/time_format.h"

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"

namespace rawgate::timesvc {
namespace {

// 2009-02-13 23:31:30 UTC, a Friday.
constexpr std::time_t kInstant = 1'234'567'890;

BrokenDownTime Utc() { return BreakDown(kInstant, absl::UTCTimeZone()); }

std::string Format(absl::string_view format, size_t limit = 1024) {
  std::string out(limit, '?');
  out.resize(FormatTime(format, Utc(), out));
  return out;
}

TEST(FormatTimeTest, Conversions) {
  EXPECT_EQ(Format("%Y-%m-%d %H:%M:%S"), "2009-02-13 23:31:30");
  EXPECT_EQ(Format("%a %A %b %B %p %j %u %w"), "Fri Friday Feb February PM 044 5 5");
  EXPECT_EQ(Format("%c|%x|%X|%D|%F|%T|%R"),
            "Fri Feb 13 23:31:30 2009|02/13/09|23:31:30|02/13/09|2009-02-13|23:31:30|23:31");
  EXPECT_EQ(Format("%G-W%V-%u %U %W %C %y %e %I %k %l"), "2009-W07-5 06 06 20 09 13 11 23 11");
  EXPECT_EQ(Format("%n%t%%"), "\n\t%");
  EXPECT_EQ(Format("%s %z %Z"), "1234567890 +0000 UTC");
}

TEST(FormatTimeTest, FlagsWidthsAndModifiers) {
  EXPECT_EQ(Format("%-d|%_m|%03d|%^a|%#Z|%10Y|%-5d"), "13| 2|013|FRI|utc|0000002009|   13");
  EXPECT_EQ(Format("%Ey %EY %Od %OH"), "09 2009 13 23");
}

TEST(FormatTimeTest, EmptyMeansDateAndTime) { EXPECT_EQ(Format(""), "2009-02-13 23:31:30"); }

TEST(FormatTimeTest, OtherTextPassesThrough) {
  EXPECT_EQ(Format("no conversion at all"), "no conversion at all");
  EXPECT_EQ(Format("现在 %H 点 %M 分"), "现在 23 点 31 分");
  EXPECT_EQ(Format(absl::string_view("a\0%H\0b", 6)), std::string("a\00023\0b", 6));
  EXPECT_EQ(Format("\xff\xfe%H\x80"),
            "\xff\xfe"
            "23\x80");
}

TEST(FormatTimeTest, WhatIsNoConversionPassesThrough) {
  for (const char* text : {"%", "100%", "%Q", "%!", "%5", "%-", "%E", "%O", "%_5", "%5Q", "%E5d",
                           "%\xc3\xa9", "%-^#5", "%i", "%1"}) {
    EXPECT_EQ(Format(text), text);
  }
  EXPECT_EQ(Format("%Q%H"), "%Q23");
  EXPECT_EQ(Format(absl::string_view("%\0H", 3)), std::string("%\0H", 3));
  EXPECT_EQ(Format("%%H"), "%H");
}

TEST(FormatTimeTest, ResultsAreCutToTheLimit) {
  EXPECT_EQ(Format("%Y-%m-%d", 6), "2009-0");
  EXPECT_EQ(Format("text", 2), "te");
  EXPECT_EQ(Format("%Y", 4), "2009") << "strftime's NUL takes no room";
  EXPECT_EQ(Format("%Y", 3), "200");
  EXPECT_EQ(Format("%Y", 0), "");
  EXPECT_EQ(Format("%c%c%c", 30), "Fri Feb 13 23:31:30 2009Fri Fe");
}

TEST(FormatTimeTest, WidthsThatInflateAreCutToTheLimit) {
  EXPECT_EQ(Format("%1000d", 64), std::string(64, '0'));
  EXPECT_EQ(Format("%66d", 64), std::string(64, '0'));
  EXPECT_EQ(Format("%65d", 64), std::string(63, '0') + "1");
  EXPECT_EQ(Format("%64d", 64), std::string(62, '0') + "13");
  EXPECT_EQ(Format("%_1000d", 64), std::string(64, ' '));
  EXPECT_EQ(Format("%2147483648d", 64), std::string(64, '0'));
  EXPECT_EQ(Format("%99999999999999999999999999d", 64), std::string(64, '0'));
  EXPECT_EQ(Format(absl::StrCat("%", std::string(900, '9'), "Y"), 64), std::string(64, '0'));
  EXPECT_EQ(Format("%1000d").size(), 1000u);
  EXPECT_EQ(Format("%00000000000000000000000000005d"), "00013");
}

TEST(FormatTimeTest, TheLongestResultIs64KiB) {
  EXPECT_EQ(Format("%60000d%60000d%999999999d", 1 << 20).size(), kFormattedMax);
  EXPECT_EQ(Format("%65536d", 1 << 20).size(), kFormattedMax);
  // Of "%z" the digits are padded too, behind the sign.
  EXPECT_EQ(Format("%65536z", 1 << 20), std::string(kFormattedMax - 1, ' ') + "+");
  EXPECT_EQ(Format("%65537z", 1 << 20), std::string(kFormattedMax, ' '));
}

TEST(FormatTimeTest, Looks1024BytesAtTheFormat) {
  EXPECT_EQ(Format(std::string(1023, 'x') + "yz", 2000), std::string(1023, 'x') + "y");
  EXPECT_EQ(Format(std::string(1023, 'x') + "%H", 2000), std::string(1023, 'x') + "%");
  EXPECT_EQ(Format(absl::StrCat("%", std::string(1022, '-'), "d"), 2000), "13");
}

TEST(FormatTimeTest, IsStrftimeForWhateverStrftimeKnows) {
  constexpr absl::string_view kConversions = "aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%";
  constexpr absl::string_view kFlags = "_-0^#";
  const BrokenDownTime time = BreakDown(kInstant);
  std::minstd_rand random(1);
  const auto one_of = [&](absl::string_view set) { return set[random() % set.size()]; };
  for (int round = 0; round < 5000; ++round) {
    std::string format;
    for (int i = 0; i < 5; ++i) {
      absl::StrAppend(&format, "x%");
      while (random() % 4 == 0) format += one_of(kFlags);
      if (random() % 4 == 0) absl::StrAppend(&format, random() % 40);
      format += one_of(kConversions);
    }
    std::vector<char> expected(1024);
    expected.resize(std::strftime(expected.data(), expected.size(), format.c_str(), &time.fields));
    std::vector<char> actual(1024);
    actual.resize(FormatTime(format, time, actual));
    ASSERT_EQ(actual, expected) << format;
  }
}

TEST(FormatTimeTest, SecondsAreThoseOfStrftime) {
  std::vector<std::string> heads = {"%"};
  for (const char first : absl::string_view("_-0^#")) {
    heads.push_back({'%', first});
    for (const char second : absl::string_view("_-0^#")) heads.push_back({'%', first, second});
  }
  for (const std::time_t instant : std::initializer_list<std::time_t>{
           0, 1, 9, 10, -2, -10, kInstant, -kInstant, -62'135'596'800, 253'402'300'799}) {
    const BrokenDownTime time = BreakDown(instant);
    for (const std::string& head : heads) {
      for (const char* rest :
           {"s", "1s", "2s", "3s", "10s", "11s", "12s", "13s", "40s", "Es", "Os", "20Es"}) {
        const std::string format = head + rest;
        std::string expected(100, '\0');
        expected.resize(
            std::strftime(expected.data(), expected.size(), format.c_str(), &time.fields));
        std::string actual(100, '?');
        actual.resize(FormatTime(format, time, actual));
        ASSERT_EQ(actual, expected) << format << " of " << instant;
      }
    }
  }
}

TEST(FormatTimeTest, SecondsAreCutToTheLimit) {
  EXPECT_EQ(Format("%s", 4), "1234");
  EXPECT_EQ(Format("%12s", 4), "  12");
  EXPECT_EQ(Format("%12s", 2), "  ");
  EXPECT_EQ(Format("%012s", 12), "001234567890");
  EXPECT_EQ(Format(absl::StrCat("%", std::string(900, '9'), "s"), 64), std::string(64, ' '));
  EXPECT_EQ(Format("%65536s%s", 1 << 20), std::string(kFormattedMax - 10, ' ') + "1234567890");
}

TEST(FormatTimeTest, AnyBytesAreSafeAndEveryLimitYieldsABeginningOfTheWhole) {
  // Bytes that mean something are more likely than others.
  constexpr absl::string_view kMeaningful = "%%%%%%%%0123456789EO_-^#+aAcdsYzZ\0 x";
  const BrokenDownTime time = Utc();
  std::minstd_rand random(2);
  for (int round = 0; round < 20'000; ++round) {
    std::string format(random() % 40, '\0');
    for (char& byte : format) {
      byte = random() % 8 == 0 ? static_cast<char>(random())
                               : kMeaningful[random() % kMeaningful.size()];
    }
    std::string whole(2000, '\0');
    whole.resize(FormatTime(format, time, whole));
    // Exactly as large as the limit, so that a sanitizer sees a byte too many.
    std::vector<char> cut(random() % 80);
    const size_t size = FormatTime(format, time, cut);
    ASSERT_EQ(size, std::min(cut.size(), whole.size())) << absl::CHexEscape(format);
    ASSERT_EQ(absl::string_view(cut.data(), size), absl::string_view(whole).substr(0, size));
  }
}

class BreakDownTest : public ::testing::Test {
 protected:
  void SetUp() override { ::setenv("TZ", "XYZ-5:45", 1); }
  void TearDown() override {
    ::unsetenv("TZ");
    ::tzset();
  }
  static std::string Format(absl::string_view format, const BrokenDownTime& time) {
    std::string out(100, '\0');
    out.resize(FormatTime(format, time, out));
    return out;
  }
};

TEST_F(BreakDownTest, UsesTheZoneOfTheProcess) {
  EXPECT_EQ(Format("%F %T %Z %z", BreakDown(kInstant)), "2009-02-14 05:16:30 XYZ +0545");
}

TEST_F(BreakDownTest, NoticesThatItChanges) {
  BreakDown(kInstant);
  ::setenv("TZ", "ABC3", 1);
  EXPECT_EQ(Format("%H %Z", BreakDown(kInstant)), "20 ABC");
}

TEST_F(BreakDownTest, SecondsAreNotReckonedFromTheFields) {
  const BrokenDownTime time = BreakDown(kInstant);
  // strftime(3) would look at the zone again, in a file where TZ is not set, for every "%s".
  ::setenv("TZ", "ABC3", 1);
  EXPECT_EQ(Format("%s %_12s", time), "1234567890   1234567890");
}

TEST_F(BreakDownTest, UsesAnotherZone) {
  absl::TimeZone berlin;
  ASSERT_TRUE(absl::LoadTimeZone("Europe/Berlin", &berlin));
  const BrokenDownTime winter = BreakDown(kInstant, berlin);
  EXPECT_EQ(Format("%F %T %Z %z", winter), "2009-02-14 00:31:30 CET +0100");
  EXPECT_EQ(Format("%s", winter), "1234567890") << "the same instant in every zone";
  const BrokenDownTime summer = BreakDown(kInstant + 180 * 86'400, berlin);
  EXPECT_EQ(Format("%F %T %Z %z", summer), "2009-08-13 01:31:30 CEST +0200");
  EXPECT_EQ(summer.fields.tm_gmtoff, 7200);
}

TEST(CheckFormatTest, TakesWhatConverts) {
  for (const char* format :
       {"", "text", "%H:%M", "%%", "100%%", "%%Q", "%-d|%_4H|%^a|%#Z|%010Y|%Ey %EY %Od %OH",
        "点 %c",
        "%a%A%b%B%c%C%d%D%e%F%g%G%h%H%I%j%k%l%m%M%n%p%P%r%R%s%S%t%T%u%U%V%w%W%x%X%y%Y%z%Z%%"}) {
    EXPECT_TRUE(CheckFormat(format).ok()) << format;
  }
}

TEST(CheckFormatTest, SaysWhereNothingConverts) {
  const auto refused = [](absl::string_view format, size_t at) {
    const absl::Status status = CheckFormat(format);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(ReasonOf(status), "BAD_FORMAT");
    EXPECT_EQ(FieldOf(status), "format");
    EXPECT_TRUE(absl::StrContains(status.message(), absl::StrCat("at byte ", at, " "))) << status;
  };
  refused("%", 0);
  refused("100%", 3);
  refused("%Q%H", 0);
  refused("%H%%%Q", 4);
  refused("%%%", 2);
  refused("%H %5", 3);
  refused("点%-^#5", 3);
  refused("%E", 0);
  refused("%d %Ea", 3);
  refused("%OY", 0);
  refused(absl::string_view("%\0H", 3), 0);
}

TEST(CheckFormatTest, WhatItRefusesPassesThrough) {
  for (const std::string conversion : {"%Ea", "%Ed", "%EH", "%OY", "%Oc", "%Q", "%Ei"}) {
    EXPECT_FALSE(CheckFormat(conversion).ok()) << conversion;
    EXPECT_EQ(Format(conversion), conversion);
  }
}

}  // namespace
}  // namespace rawgate::timesvc
