#include "services/time/time_servicer.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "services/time/time_format.h"
#include "services/time/time_servicer_testing.h"

namespace rawgate::timesvc {
namespace {

namespace pb = rawgate::time::v1;

class GetTimeTest : public TimeServicerTest {
 protected:
  absl::Status GetTime(const pb::GetTimeRequest& request) {
    return Call(&pb::TimeService::Stub::GetTime, request, &response_);
  }

  pb::GetTimeResponse response_;
};

TEST_F(GetTimeTest, TellsTheTime) {
  ASSERT_TRUE(GetTime({}).ok());
  EXPECT_EQ(response_.time().seconds(), 1'234'567'890);
  EXPECT_EQ(response_.time().nanos(), 123'000'000);
  EXPECT_EQ(response_.formatted(), "2009-02-14 05:16:30");
  EXPECT_EQ(response_.time_zone(), "XYZ");
  EXPECT_EQ(response_.utc_offset_seconds(), 20'700);
  EXPECT_GT(response_.uptime().seconds(), 0);
  EXPECT_FALSE(response_.has_client_send_time());
}

TEST_F(GetTimeTest, InAFormatAndAZone) {
  pb::GetTimeRequest request;
  request.set_format(std::string("%H:%M %Z\0\xc3\xa9", 11));
  request.set_time_zone("Europe/Berlin");
  ASSERT_TRUE(GetTime(request).ok());
  EXPECT_EQ(response_.formatted(), std::string("00:31 CET\0\xc3\xa9", 12));
  EXPECT_EQ(response_.time_zone(), "Europe/Berlin");
  EXPECT_EQ(response_.utc_offset_seconds(), 3600);
}

TEST_F(GetTimeTest, ALongResultIsCutBetweenCharacters) {
  pb::GetTimeRequest request;
  for (const size_t before : {0, 1, 2, 3}) {
    // The limit falls within the character that follows.
    request.set_format(absl::StrCat("%", kFormattedMax - before, "d\xe4\xbd\xa0"));
    ASSERT_TRUE(GetTime(request).ok());
    EXPECT_EQ(response_.formatted().size(), before == 3 ? kFormattedMax : kFormattedMax - before);
  }
}

TEST_F(GetTimeTest, EchoesTheClientsTimeBesideItsOwn) {
  pb::GetTimeRequest request;
  request.mutable_client_send_time()->set_seconds(1'234'567'889);
  ASSERT_TRUE(GetTime(request).ok());
  EXPECT_EQ(response_.client_send_time().seconds(), 1'234'567'889);
  EXPECT_EQ(response_.server_receive_time().seconds(), 1'234'567'890);
  EXPECT_EQ(response_.server_send_time().seconds(), 1'234'567'890);
}

TEST_F(GetTimeTest, NamesTheFieldThatIsWrong) {
  pb::GetTimeRequest request;
  request.set_format(std::string(1025, 'x'));
  absl::Status status = GetTime(request);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(status), "FORMAT_TOO_LONG");
  EXPECT_EQ(FieldOf(status), "format");

  request.set_format("");
  request.set_time_zone("../../etc/passwd");
  status = GetTime(request);
  EXPECT_EQ(ReasonOf(status), "UNKNOWN_TIME_ZONE");
  EXPECT_EQ(FieldOf(status), "time_zone");

  request.set_time_zone("");
  for (const char* format : {"%", "%Q", "%H:%"}) {
    request.set_format(format);
    status = GetTime(request);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << format;
    EXPECT_EQ(ReasonOf(status), "BAD_FORMAT") << format;
    EXPECT_EQ(FieldOf(status), "format") << format;
  }
}

TEST_F(GetTimeTest, TellsTheTestClocksTimeAndSaysSo) {
  ASSERT_TRUE(GetTime({}).ok());
  EXPECT_FALSE(response_.test_clock());
  ASSERT_TRUE(clock_.Set({.offset = absl::Seconds(-1'234'567'890)}).ok());
  ASSERT_TRUE(GetTime({}).ok());
  EXPECT_EQ(response_.time().seconds(), 0);
  EXPECT_EQ(response_.time().nanos(), 123'000'000);
  EXPECT_EQ(response_.formatted(), "1970-01-01 05:45:00");
  EXPECT_EQ(response_.server_receive_time().seconds(), 0);
  EXPECT_EQ(response_.server_send_time().seconds(), 0);
  EXPECT_TRUE(response_.test_clock());
}

TEST_F(GetTimeTest, AStoppedServiceSaysSo) {
  ASSERT_TRUE(fixture_.Stop().ok());
  const absl::Status status = GetTime({});
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), "SERVICE_STOPPED");
  ASSERT_TRUE(fixture_.Start().ok());
  EXPECT_TRUE(GetTime({}).ok());
}

TEST_F(GetTimeTest, CountsItsCalls) {
  ASSERT_TRUE(GetTime({}).ok());
  EXPECT_FALSE(GetTime([] {
                 pb::GetTimeRequest request;
                 request.set_time_zone("nowhere");
                 return request;
               }())
                   .ok());
  EXPECT_EQ(fixture_.service().rpc_counters().requests.value(), 2u);
  EXPECT_EQ(fixture_.service().rpc_counters().request_errors.value(), 1u);
}

}  // namespace
}  // namespace rawgate::timesvc
