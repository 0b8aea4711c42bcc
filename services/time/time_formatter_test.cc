#include "services/time/time_formatter.h"

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "services/time/time_format.h"

namespace rawgate::timesvc {
namespace {

class TimeFormatterTest : public ::testing::Test {
 protected:
  void SetUp() override { ::setenv("TZ", "XYZ-5:45", 1); }

  // 2009-02-13 23:31:30 UTC.
  const absl::Time time_ = absl::FromUnixMillis(1'234'567'890'999);
};

TEST_F(TimeFormatterTest, FormatsAnyTimeInItsZone) {
  const auto berlin = TimeFormatter::Make("%F %T", "Europe/Berlin");
  ASSERT_TRUE(berlin.ok()) << berlin.status();
  const FormattedTime winter = berlin->Format(time_);
  EXPECT_EQ(winter.formatted, "2009-02-14 00:31:30");
  EXPECT_EQ(winter.zone, "Europe/Berlin");
  EXPECT_EQ(winter.utc_offset_seconds, 3600);
  EXPECT_EQ(berlin->Format(time_ + 180 * absl::Hours(24)).utc_offset_seconds, 7200);
  EXPECT_EQ(berlin->Format(absl::UnixEpoch() - absl::Milliseconds(1)).formatted,
            "1970-01-01 00:59:59");
}

TEST_F(TimeFormatterTest, NoticesThatTheServersZoneChanges) {
  const auto local = TimeFormatter::Make("", "");
  EXPECT_EQ(local->Format(time_).formatted, "2009-02-14 05:16:30");
  EXPECT_EQ(local->Format(time_).zone, "XYZ");
  ::setenv("TZ", "ABC3", 1);
  EXPECT_EQ(local->Format(time_).formatted, "2009-02-13 20:31:30");
  EXPECT_EQ(local->Format(time_).zone, "ABC");
  EXPECT_EQ(local->Format(time_).utc_offset_seconds, -3 * 3600);
}

TEST_F(TimeFormatterTest, CutsBetweenCharacters) {
  for (const size_t before : {0, 1, 2, 3}) {
    // The limit falls within the character that follows.
    const auto formatter =
        TimeFormatter::Make(absl::StrCat("%", kFormattedMax - before, "d\xe4\xbd\xa0"), "UTC");
    ASSERT_TRUE(formatter.ok()) << formatter.status();
    EXPECT_EQ(formatter->Format(time_).formatted.size(),
              before == 3 ? kFormattedMax : kFormattedMax - before);
  }
}

TEST_F(TimeFormatterTest, RefusesWhatItCannotTell) {
  const auto refused = [](absl::string_view format, absl::string_view zone) {
    const absl::Status status = TimeFormatter::Make(format, zone).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return ReasonOf(status) + " " + FieldOf(status);
  };
  EXPECT_EQ(refused(std::string(1025, 'x'), ""), "FORMAT_TOO_LONG format");
  EXPECT_EQ(refused("%H:%Q", ""), "BAD_FORMAT format");
  EXPECT_EQ(refused("", "Mars/Olympus"), "UNKNOWN_TIME_ZONE time_zone");
}

}  // namespace
}  // namespace rawgate::timesvc
