#include "services/time/time_format_cache.h"

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace rawgate::timesvc {
namespace {

class FormatCacheTest : public ::testing::Test {
 protected:
  void SetUp() override { ::setenv("TZ", "UTC0", 1); }

  std::string Format(absl::string_view format, std::time_t second, size_t limit = 1024) {
    std::string out(limit, '?');
    out.resize(cache_.Format(format, second, out));
    return out;
  }

  FormatCache cache_;
};

TEST_F(FormatCacheTest, FollowsTheClockBothWays) {
  EXPECT_EQ(Format("%T", 0), "00:00:00");
  EXPECT_EQ(Format("%T", 0), "00:00:00");
  EXPECT_EQ(Format("%T", 1), "00:00:01");
  EXPECT_EQ(Format("%T", 0), "00:00:00");
  EXPECT_EQ(Format("%T", -1), "23:59:59");
}

TEST_F(FormatCacheTest, TheSecondBefore1970IsOneLikeAnyOther) {
  EXPECT_EQ(Format("%T", -1), "23:59:59");
}

TEST_F(FormatCacheTest, OneResultServesEveryLimit) {
  EXPECT_EQ(Format("%1000d", 0, 10), "0000000000");
  EXPECT_EQ(Format("%1000d", 0).size(), 1000u);
  EXPECT_EQ(Format("%1000d", 0, 0), "");
  EXPECT_EQ(Format("%9999d", 0, 5000).size(), FormatCache::kTextMax);
}

TEST_F(FormatCacheTest, MoreFormatsThanItRemembers) {
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 50; ++i) {
      EXPECT_EQ(Format(absl::StrCat(i, " %S"), round), absl::StrCat(i, " 0", round));
    }
  }
}

TEST_F(FormatCacheTest, LongFormatsToo) {
  for (const size_t size : {63u, 64u, 65u, 1023u, 1024u, 2000u}) {
    const std::string text(size, 'x');
    EXPECT_EQ(Format(text, 0), text.substr(0, 1024)) << size;
  }
}

TEST_F(FormatCacheTest, FormatsThatBeginAlikeAreNotMixedUp) {
  EXPECT_EQ(Format("%H", 0), "00");
  EXPECT_EQ(Format("%H:%M", 0), "00:00");
  EXPECT_EQ(Format(absl::string_view("%H\0", 3), 0), std::string("00\0", 3));
  EXPECT_EQ(Format("%H", 0), "00");
  EXPECT_EQ(Format("", 0), "1970-01-01 00:00:00");
}

}  // namespace
}  // namespace rawgate::timesvc
