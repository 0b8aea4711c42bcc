#include "services/time/time_core.h"

#include <cstdlib>
#include <string>

#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/testing/manual_clock.h"
#include "services/time/time_format.h"
#include "services/time/time_session.h"

namespace rawgate::timesvc {
namespace {

class TimeCoreTest : public ::testing::Test {
 protected:
  void SetUp() override { ::setenv("TZ", "XYZ-5:45", 1); }

  std::string Answer(absl::string_view format, size_t limit = 1024) {
    std::string reply(limit, '?');
    reply.resize(core_.Answer(format, reply));
    return reply;
  }

  // 2009-02-13 23:31:30 UTC.
  testing::ManualClock clock_{absl::FromUnixMillis(1'234'567'890'999)};
  TimeCore core_{clock_};
};

TEST_F(TimeCoreTest, AnswersInTheServersZone) {
  EXPECT_EQ(Answer(""), "2009-02-14 05:16:30");
  EXPECT_EQ(Answer("%s %Z"), "1234567890 XYZ");
  clock_.Advance(absl::Milliseconds(1));
  EXPECT_EQ(Answer("%s %Z"), "1234567891 XYZ");
}

TEST_F(TimeCoreTest, AnswersAtMost1024Bytes) {
  EXPECT_EQ(Answer("%2000d", 5000).size(), 1024u);
  EXPECT_EQ(Answer("%c", 5), "Sat F");
}

TEST_F(TimeCoreTest, ReadsTheServersZone) {
  const auto reading = core_.Read("%T %Z", "");
  ASSERT_TRUE(reading.ok()) << reading.status();
  EXPECT_EQ(reading->time, clock_.Now());
  EXPECT_EQ(reading->formatted, "05:16:30 XYZ");
  EXPECT_EQ(reading->zone, "XYZ");
  EXPECT_EQ(reading->utc_offset_seconds, 20'700);
  EXPECT_EQ(reading->clock_source, KernelClockSource());
  EXPECT_GT(reading->uptime, absl::ZeroDuration());
}

TEST_F(TimeCoreTest, ReadsAnotherZone) {
  const auto reading = core_.Read("%F %T %Z %s", "America/New_York");
  ASSERT_TRUE(reading.ok()) << reading.status();
  EXPECT_EQ(reading->formatted, "2009-02-13 18:31:30 EST 1234567890");
  EXPECT_EQ(reading->zone, "America/New_York");
  EXPECT_EQ(reading->utc_offset_seconds, -5 * 3600);
}

TEST_F(TimeCoreTest, ReadsEmptyAndLongFormats) {
  EXPECT_EQ(core_.Read("", "UTC")->formatted, "2009-02-13 23:31:30");
  EXPECT_EQ(core_.Read("%255d", "UTC")->formatted.size(), 255u);
  EXPECT_EQ(core_.Read("%256d", "UTC")->formatted.size(), 256u);
  EXPECT_EQ(core_.Read("%5000d", "UTC")->formatted.size(), 5000u);
  EXPECT_EQ(core_.Read("%99999d", "UTC")->formatted.size(), kFormattedMax);
  EXPECT_EQ(core_.Read(std::string(1024, 'x'), "")->formatted, std::string(1024, 'x'));
}

TEST_F(TimeCoreTest, RefusesBadRequests) {
  const absl::Status too_long = core_.Read(std::string(1025, 'x'), "").status();
  EXPECT_EQ(too_long.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(too_long), "FORMAT_TOO_LONG");
  EXPECT_EQ(FieldOf(too_long), "format");
  EXPECT_EQ(ReasonOf(core_.Read("", "Mars/Olympus").status()), "UNKNOWN_TIME_ZONE");
}

TEST_F(TimeCoreTest, TellsTheTestClocksTime) {
  EXPECT_EQ(core_.test_clock(), nullptr);
  EXPECT_EQ(core_.At(absl::UnixEpoch()), absl::UnixEpoch());
  EXPECT_FALSE(core_.Read("", "")->test_clock);

  TestClock test_clock(clock_);
  TimeCore core(test_clock);
  EXPECT_EQ(core.test_clock(), &test_clock);
  EXPECT_FALSE(core.Read("", "")->test_clock);
  ASSERT_TRUE(test_clock.Set({.offset = absl::Seconds(30)}).ok());
  EXPECT_EQ(core.Now(), clock_.Now() + absl::Seconds(30));
  EXPECT_EQ(core.At(absl::UnixEpoch()), absl::FromUnixSeconds(30));
  const auto reading = core.Read("%T", "UTC");
  EXPECT_EQ(reading->formatted, "23:32:00");
  EXPECT_TRUE(reading->test_clock);
  std::string reply(1024, '?');
  reply.resize(core.Answer("%s", reply));
  EXPECT_EQ(reply, "1234567920");
}

TEST_F(TimeCoreTest, TheSessionAnswersWithinWhatItMay) {
  TimeDatagramSession session(core_);
  const net::Endpoint peer = net::Endpoint::Parse("udp://127.0.0.1:4000").value();
  std::string reply(64, '?');
  EXPECT_EQ(session.OnDatagram({peer, "%H:%M"}, reply), 5u);
  EXPECT_EQ(reply.substr(0, 5), "05:16");
  EXPECT_EQ(session.OnDatagram({peer, "%1000d"}, reply), 64u);
  EXPECT_EQ(TimeDatagramSession::Options().payload_max, 1024u);
  EXPECT_EQ(TimeDatagramSession::Options().reply_max, 1024u);
}

}  // namespace
}  // namespace rawgate::timesvc
