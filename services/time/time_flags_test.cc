#include "services/time/time_flags.h"

#include <cstdint>
#include <limits>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"

ABSL_DECLARE_FLAG(bool, test_clock);
ABSL_DECLARE_FLAG(uint32_t, ntp_stratum);
ABSL_DECLARE_FLAG(double, ntp_rate_per_source);

namespace rawgate::timesvc {
namespace {

class TimeFlagsTest : public ::testing::Test {
 protected:
  // Sets them back.
  const absl::FlagSaver saver_;
};

TEST_F(TimeFlagsTest, DefaultsAreHonest) {
  const absl::StatusOr<Settings> settings = SettingsFromFlags();
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_FALSE(settings->test_clock);
  EXPECT_EQ(settings->ntp.stratum, 10);
  EXPECT_EQ(settings->ntp_rate_per_source, 16);
}

TEST_F(TimeFlagsTest, SayWhatTheySet) {
  absl::SetFlag(&FLAGS_test_clock, true);
  absl::SetFlag(&FLAGS_ntp_stratum, 2);
  absl::SetFlag(&FLAGS_ntp_rate_per_source, 1000);
  const absl::StatusOr<Settings> settings = SettingsFromFlags();
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_TRUE(settings->test_clock);
  EXPECT_EQ(settings->ntp.stratum, 2);
  EXPECT_EQ(settings->ntp_rate_per_source, 1000);
}

TEST_F(TimeFlagsTest, NoAnswerClaimsAReferenceClock) {
  for (const uint32_t stratum : {0u, 1u, 16u, 256u + 10u}) {
    absl::SetFlag(&FLAGS_ntp_stratum, stratum);
    const absl::Status status = SettingsFromFlags().status();
    EXPECT_EQ(ReasonOf(status), "BAD_OPTION") << stratum;
    EXPECT_EQ(FieldOf(status), "ntp_stratum");
  }
}

TEST_F(TimeFlagsTest, ARateIsANumberOfRequests) {
  for (const double rate : {0.0, -1.0, 0.5, 1e7, std::numeric_limits<double>::quiet_NaN()}) {
    absl::SetFlag(&FLAGS_ntp_rate_per_source, rate);
    const absl::Status status = SettingsFromFlags().status();
    EXPECT_EQ(ReasonOf(status), "BAD_OPTION") << rate;
    EXPECT_EQ(FieldOf(status), "ntp_rate_per_source");
  }
}

}  // namespace
}  // namespace rawgate::timesvc
