#include "services/time/clock_setting.h"

#include <limits>
#include <string>

#include "gtest/gtest.h"
#include "runtime/base/status.h"

namespace rawgate::timesvc {
namespace {

TEST(ClockSettingTest, RefusesWhatIsBeyondItsLimits) {
  const auto refused = [](const ClockSetting& setting) {
    const absl::Status status = setting.Check();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return ReasonOf(status) + " " + FieldOf(status);
  };
  const std::string bad_offset = "BAD_OFFSET test_clock.offset";
  EXPECT_EQ(refused({.offset = ClockSetting::kOffsetMax + absl::Nanoseconds(1)}), bad_offset);
  EXPECT_EQ(refused({.offset = -ClockSetting::kOffsetMax - absl::Nanoseconds(1)}), bad_offset);
  EXPECT_EQ(refused({.offset = -absl::InfiniteDuration()}), bad_offset);
  const std::string bad_rate = "BAD_RATE test_clock.rate";
  for (const double rate : {0.0009, 1000.1, -1.0, std::numeric_limits<double>::quiet_NaN(),
                            std::numeric_limits<double>::infinity()}) {
    EXPECT_EQ(refused({.rate = rate}), bad_rate) << rate;
  }
  EXPECT_EQ(refused({.rate = 1, .frozen = true}), bad_rate);
  EXPECT_EQ(refused({.ntp = {.stratum = 256}}), "BAD_STRATUM test_clock.ntp.stratum");
  const std::string bad_dispersion = "BAD_ROOT_DISPERSION test_clock.ntp.root_dispersion";
  EXPECT_EQ(refused({.ntp = {.root_dispersion = absl::Nanoseconds(-1)}}), bad_dispersion);
  EXPECT_EQ(refused({.ntp = {.root_dispersion = absl::Seconds(65'536)}}), bad_dispersion);
  const std::string bad_kiss_code = "BAD_KISS_CODE test_clock.ntp.kiss_code";
  for (const std::string code : {"RATES", "A B", "R\n", "\xc3\xa4"}) {
    EXPECT_EQ(refused({.ntp = {.kiss_code = code}}), bad_kiss_code) << code;
  }
  EXPECT_EQ(refused({.ntp = {.stratum = 0, .kiss_code = "DENY"}}), bad_kiss_code);
}

TEST(ClockSettingTest, TakesTheLimitsThemselves) {
  EXPECT_TRUE((ClockSetting{.offset = ClockSetting::kOffsetMax, .rate = 1000}).Check().ok());
  EXPECT_TRUE((ClockSetting{.offset = -ClockSetting::kOffsetMax, .rate = 0.001}).Check().ok());
  EXPECT_TRUE((ClockSetting{.ntp = {.stratum = 255, .root_dispersion = absl::Seconds(65'535)}})
                  .Check()
                  .ok());
  EXPECT_TRUE((ClockSetting{.ntp = {.root_dispersion = absl::ZeroDuration(), .kiss_code = "X"}})
                  .Check()
                  .ok());
}

}  // namespace
}  // namespace rawgate::timesvc
