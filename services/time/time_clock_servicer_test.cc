#include "services/time/time_clock_servicer.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/rpc/proto_time.h"
#include "services/time/time_servicer_testing.h"

namespace rawgate::timesvc {
namespace {

namespace pb = rawgate::time::v1;

pb::TestClock Everything() {
  pb::TestClock clock;
  clock.mutable_offset()->set_seconds(-3600);
  clock.mutable_offset()->set_nanos(-5);
  clock.set_rate(2.5);
  clock.mutable_ntp()->set_leap(pb::LEAP_INDICATOR_LAST_MINUTE_59);
  clock.mutable_ntp()->set_stratum(0);
  clock.mutable_ntp()->mutable_root_dispersion()->set_nanos(1);
  return clock;
}

TEST(ClockSettingTest, GoesBothWays) {
  const auto setting = FromProto(Everything());
  ASSERT_TRUE(setting.ok()) << setting.status();
  EXPECT_EQ(setting->offset, -absl::Hours(1) - absl::Nanoseconds(5));
  EXPECT_EQ(setting->rate, 2.5);
  EXPECT_FALSE(setting->frozen);
  EXPECT_EQ(setting->ntp.leap, LeapIndicator::kLastMinute59);
  EXPECT_EQ(setting->ntp.stratum, 0u);
  EXPECT_EQ(setting->ntp.root_dispersion, absl::Nanoseconds(1));
  EXPECT_EQ(ToProto(*setting).SerializeAsString(), Everything().SerializeAsString());

  pb::TestClock frozen;
  frozen.set_frozen(true);
  frozen.mutable_ntp()->set_kiss_code("RATE");
  EXPECT_EQ(ToProto(*FromProto(frozen)).SerializeAsString(), frozen.SerializeAsString());
}

TEST(ClockSettingTest, EveryLeapIndicatorGoesBothWays) {
  const std::vector<std::optional<LeapIndicator>> wire = {
      std::nullopt, LeapIndicator::kNoWarning, LeapIndicator::kLastMinute61,
      LeapIndicator::kLastMinute59, LeapIndicator::kUnsynchronized};
  for (int leap = pb::LeapIndicator_MIN; leap <= pb::LeapIndicator_MAX; ++leap) {
    pb::TestClock clock;
    clock.mutable_ntp()->set_leap(static_cast<pb::LeapIndicator>(leap));
    const auto setting = FromProto(clock);
    ASSERT_TRUE(setting.ok()) << setting.status();
    EXPECT_EQ(setting->ntp.leap, wire.at(static_cast<size_t>(leap)));
    EXPECT_EQ(ToProto(*setting).ntp().leap(), leap);
  }
}

TEST(ClockSettingTest, IsEmptyForTheRealClock) {
  EXPECT_TRUE(FromProto({})->IsReal());
  EXPECT_EQ(ToProto(ClockSetting{}).ByteSizeLong(), 0u);
  EXPECT_EQ(ToProto(ClockSetting{.rate = 1}).ByteSizeLong(), 0u);
}

TEST(ClockSettingTest, RefusesWhatIsNoValueAtAll) {
  const auto refused = [](const pb::TestClock& clock) {
    const absl::Status status = FromProto(clock).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return ReasonOf(status) + " " + FieldOf(status);
  };
  pb::TestClock clock = Everything();
  clock.mutable_offset()->set_nanos(5);
  EXPECT_EQ(refused(clock), "BAD_OFFSET test_clock.offset");
  clock = Everything();
  clock.mutable_ntp()->set_leap(static_cast<pb::LeapIndicator>(5));
  EXPECT_EQ(refused(clock), "BAD_LEAP test_clock.ntp.leap");
  clock.mutable_ntp()->set_leap(static_cast<pb::LeapIndicator>(-1));
  EXPECT_EQ(refused(clock), "BAD_LEAP test_clock.ntp.leap");
  clock = Everything();
  clock.mutable_ntp()->mutable_root_dispersion()->set_nanos(1'000'000'000);
  EXPECT_EQ(refused(clock), "BAD_ROOT_DISPERSION test_clock.ntp.root_dispersion");
}

TEST(ClockSettingTest, HasAText) {
  EXPECT_EQ(ToText({}), "the real clock");
  EXPECT_EQ(ToText(*FromProto(Everything())),
            "offset -1h0.000000005s, rate 2.5, leap 2, stratum 0, root dispersion 1ns");
  EXPECT_EQ(ToText({.frozen = true, .ntp = {.kiss_code = "RATE"}}), "frozen, kiss RATE");
}

class TestClockCallsTest : public TimeServicerTest {
 protected:
  absl::Status Get() {
    return Call(&pb::TimeService::Stub::GetTestClock, pb::GetTestClockRequest(), &got_);
  }
  absl::Status Set(const pb::TestClock& clock) {
    pb::SetTestClockRequest request;
    *request.mutable_test_clock() = clock;
    return Call(&pb::TimeService::Stub::SetTestClock, request, &set_);
  }

  pb::GetTestClockResponse got_;
  pb::SetTestClockResponse set_;
};

TEST_F(TestClockCallsTest, SetsReplacesAndGoesBackToTheRealClock) {
  ASSERT_TRUE(Get().ok());
  EXPECT_EQ(got_.test_clock().ByteSizeLong(), 0u);

  ASSERT_TRUE(Set(Everything()).ok());
  EXPECT_EQ(set_.test_clock().SerializeAsString(), Everything().SerializeAsString());
  ASSERT_TRUE(Get().ok());
  EXPECT_EQ(got_.test_clock().SerializeAsString(), Everything().SerializeAsString());
  EXPECT_EQ(core_.Now(), real_.Now() - absl::Hours(1) - absl::Nanoseconds(5));

  pb::TestClock frozen;
  frozen.set_frozen(true);
  ASSERT_TRUE(Set(frozen).ok());
  EXPECT_EQ(set_.test_clock().SerializeAsString(), frozen.SerializeAsString());
  EXPECT_EQ(core_.Now(), real_.Now());

  ASSERT_TRUE(Call(&pb::TimeService::Stub::SetTestClock, pb::SetTestClockRequest(), &set_).ok());
  EXPECT_EQ(set_.test_clock().ByteSizeLong(), 0u);
  EXPECT_FALSE(clock_.active());
}

TEST_F(TestClockCallsTest, RefusesBadSettingsAndKeepsTheOldOne) {
  ASSERT_TRUE(Set(Everything()).ok());
  pb::TestClock bad = Everything();
  bad.set_rate(1001);
  absl::Status status = Set(bad);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(status), "BAD_RATE");
  EXPECT_EQ(FieldOf(status), "test_clock.rate");
  bad = Everything();
  bad.mutable_ntp()->set_leap(static_cast<pb::LeapIndicator>(17));
  status = Set(bad);
  EXPECT_EQ(ReasonOf(status), "BAD_LEAP");
  EXPECT_EQ(FieldOf(status), "test_clock.ntp.leap");
  ASSERT_TRUE(Get().ok());
  EXPECT_EQ(got_.test_clock().SerializeAsString(), Everything().SerializeAsString());
}

TEST_F(TestClockCallsTest, AChangeIsSeenByThoseWhoWatchEvents) {
  const auto watcher = fixture_.events().Watch();
  ASSERT_TRUE(Set(Everything()).ok());
  const auto batch = watcher->Take(10);
  ASSERT_EQ(batch.events.size(), 1u);
  EXPECT_EQ(std::get<observe::RequestServed>(batch.events[0].body).summary,
            "test clock: offset -1h0.000000005s, rate 2.5, leap 2, stratum 0, root dispersion 1ns");
}

TEST_F(TestClockCallsTest, AStoppedServiceSaysSo) {
  ASSERT_TRUE(fixture_.Stop().ok());
  EXPECT_EQ(ReasonOf(Get()), "SERVICE_STOPPED");
  EXPECT_EQ(ReasonOf(Set({})), "SERVICE_STOPPED");
}

TEST(WithoutATestClockTest, ItsCallsAreRefusedAndTheTimeIsTheMachines) {
  testing::ManualClock real(absl::FromUnixSeconds(1'000'000));
  TimeCore core(real);
  testing::ServiceFixture fixture("time");
  TimeServicer servicer(core, fixture.admission());
  fixture.Serve(servicer);
  const auto stub = pb::TimeService::NewStub(fixture.channel());
  const auto refused = [](const grpc::Status& end) {
    const absl::Status status = rpc::FromGrpc(end);
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    return ReasonOf(status);
  };
  pb::GetTestClockResponse got;
  grpc::ClientContext get;
  EXPECT_EQ(refused(stub->GetTestClock(&get, {}, &got)), "TEST_CLOCK_DISABLED");
  pb::SetTestClockResponse set;
  grpc::ClientContext to_set;
  EXPECT_EQ(refused(stub->SetTestClock(&to_set, {}, &set)), "TEST_CLOCK_DISABLED");

  grpc::ClientContext context;
  pb::GetTimeResponse time;
  ASSERT_TRUE(stub->GetTime(&context, {}, &time).ok());
  EXPECT_EQ(time.time().seconds(), 1'000'000);
  EXPECT_FALSE(time.test_clock());
  fixture.Shutdown();
}

}  // namespace
}  // namespace rawgate::timesvc
