// rawgate test-clock.
#include <string>
#include <vector>

#include "cli/command_testing.h"
#include "cli/proto_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rawgate/time/v1/time_service.grpc.pb.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::cli {
namespace {

using testing::HasSubstr;

class FakeTime final : public time::v1::TimeService::Service {
 public:
  grpc::Status GetTestClock(grpc::ServerContext*, const time::v1::GetTestClockRequest*,
                            time::v1::GetTestClockResponse* response) override {
    *response->mutable_test_clock() = clock;
    return end;
  }
  grpc::Status SetTestClock(grpc::ServerContext*, const time::v1::SetTestClockRequest* request,
                            time::v1::SetTestClockResponse* response) override {
    clock = request->test_clock();
    ++sets;
    *response->mutable_test_clock() = clock;
    return end;
  }

  time::v1::TestClock clock;
  int sets = 0;
  grpc::Status end = grpc::Status::OK;
};

class TestClockCommandTest : public testing::Test {
 protected:
  // What it printed.
  std::string Run(std::vector<std::string> options) {
    options.insert(options.begin(), "test-clock");
    const CliResult result = gateway_.Run(std::move(options));
    EXPECT_EQ(result.code, 0) << result.error;
    EXPECT_EQ(result.error, "");
    return result.out;
  }

  FakeTime time_;
  FakeGateway gateway_{&time_};
};

TEST_F(TestClockCommandTest, AloneShowsAndSetsNothing) {
  EXPECT_EQ(Run({}), "the real clock\n");
  time_.clock.mutable_offset()->set_seconds(-5400);
  time_.clock.set_rate(2.5);
  time_.clock.mutable_ntp()->set_leap(time::v1::LEAP_INDICATOR_LAST_MINUTE_61);
  time_.clock.mutable_ntp()->set_stratum(0);
  time_.clock.mutable_ntp()->mutable_root_dispersion()->set_seconds(10);
  EXPECT_EQ(Run({}),
            "offset           -1h30m\n"
            "rate             2.5\n"
            "leap             61\n"
            "stratum          0\n"
            "root dispersion  10s\n");
  EXPECT_EQ(time_.sets, 0);
}

TEST_F(TestClockCommandTest, SetsWhatIsGivenAndShowsIt) {
  EXPECT_EQ(Run({"--offset", "1h", "--rate", "0.5"}),
            "offset           +1h\nrate             0.5\n");
  EXPECT_EQ(ToDuration(time_.clock.offset()), absl::Hours(1));
  EXPECT_EQ(time_.clock.rate(), 0.5);
  EXPECT_FALSE(time_.clock.has_ntp());

  EXPECT_EQ(Run({"--offset", "-1.5"}), "offset           -1.5s\n") << "it replaces all of it";
  EXPECT_EQ(ToDuration(time_.clock.offset()), -absl::Milliseconds(1500));
  EXPECT_EQ(Run({"--freeze", "--kiss", "RATE"}), "frozen           yes\nkiss code        RATE\n");
  Run({"--stratum", "0", "--root-dispersion", "0"});
  EXPECT_TRUE(time_.clock.ntp().has_stratum());
  EXPECT_EQ(time_.clock.ntp().stratum(), 0u);
  EXPECT_TRUE(time_.clock.ntp().has_root_dispersion());
  EXPECT_EQ(time_.sets, 4);
}

TEST_F(TestClockCommandTest, KnowsEveryLeapIndicator) {
  const std::vector<std::pair<std::string, time::v1::LeapIndicator>> leaps = {
      {"none", time::v1::LEAP_INDICATOR_NO_WARNING},
      {"61", time::v1::LEAP_INDICATOR_LAST_MINUTE_61},
      {"59", time::v1::LEAP_INDICATOR_LAST_MINUTE_59},
      {"unsynchronised", time::v1::LEAP_INDICATOR_UNSYNCHRONIZED}};
  for (const auto& [name, value] : leaps) {
    EXPECT_EQ(Run({"--leap", name}), "leap             " + name + "\n");
    EXPECT_EQ(time_.clock.ntp().leap(), value);
  }
}

TEST_F(TestClockCommandTest, GoesBackToTheRealClock) {
  Run({"--freeze"});
  EXPECT_EQ(Run({"--real"}), "the real clock\n");
  EXPECT_EQ(time_.clock.ByteSizeLong(), 0u);
  Run({"--freeze"});
  Run({"--offset", "0"});
  EXPECT_FALSE(time_.clock.frozen());
  EXPECT_EQ(time_.sets, 4);
}

TEST_F(TestClockCommandTest, PrintsJson) {
  EXPECT_THAT(Run({"--offset", "1s", "--json"}), HasSubstr("\"offset\": \"1s\""));
  EXPECT_THAT(Run({"--json"}), HasSubstr("\"testClock\": {"));
}

TEST_F(TestClockCommandTest, SaysWhyItFailed) {
  time_.end = rpc::ToGrpc(Error(absl::StatusCode::kFailedPrecondition, "TEST_CLOCK_DISABLED",
                                "the time service was started without --test_clock"));
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"test-clock"}, {"test-clock", "--freeze"}}) {
    const CliResult result = gateway_.Run(words);
    EXPECT_EQ(result.code, 1);
    EXPECT_EQ(result.error,
              "rawgate test-clock: the time service was started without --test_clock\n");
  }
}

}  // namespace
}  // namespace rawgate::cli
