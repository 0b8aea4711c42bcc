// NTP as a clock setting wants it: another time, and answers that are not honest.
#include <string>

#include "gtest/gtest.h"
#include "services/time/ntp_responder_testing.h"

namespace rawgate::timesvc {
namespace {

TEST_F(NtpResponderTest, TellsTheTestClocksTime) {
  received_ahead_ = -absl::Milliseconds(125);
  Set({.offset = absl::Seconds(5)});
  Answer answer = Ask();
  EXPECT_EQ(answer.receive(), ToNtpTimestamp(start_ + absl::Milliseconds(4875)));
  EXPECT_EQ(answer.transmit(), ToNtpTimestamp(start_ + absl::Seconds(5)));
  EXPECT_LE(answer.reference(), answer.transmit());
  Set({.rate = 2});
  answer = Ask();
  EXPECT_EQ(answer.receive(), ToNtpTimestamp(start_ - absl::Milliseconds(250)));
  EXPECT_EQ(answer.transmit(), ToNtpTimestamp(start_));
  EXPECT_EQ(answer.leap(), 0u);
  EXPECT_EQ(answer.stratum(), 7u);
}

TEST_F(NtpResponderTest, TellsTheNextEra) {
  Set({.offset = absl::Hours(24 * 365 * 30)});
  const Answer answer = Ask();
  EXPECT_LT(answer.transmit() >> 32, 100'000'000u);
  EXPECT_EQ(FromNtpTimestamp(answer.transmit(), clock_.Now()), clock_.Now());
}

TEST_F(NtpResponderTest, SaysWhatItIsToldTo) {
  Set({.ntp = {.leap = LeapIndicator::kLastMinute59,
               .stratum = 1,
               .root_dispersion = absl::Seconds(2)}});
  Answer answer = Ask();
  EXPECT_EQ(answer.leap(), 2u);
  EXPECT_EQ(answer.stratum(), 1u);
  EXPECT_EQ(answer.reference_id(), "LOCL");
  EXPECT_EQ(answer.root_dispersion(), 2);
  Set({.ntp = {.leap = LeapIndicator::kUnsynchronized}});
  answer = Ask();
  EXPECT_EQ(answer.leap(), 3u);
  EXPECT_EQ(answer.stratum(), 7u);
  EXPECT_EQ(answer.root_dispersion(), 0.25);
  for (const uint32_t stratum : {0u, 16u, 255u}) {
    Set({.ntp = {.stratum = stratum}});
    answer = Ask();
    EXPECT_EQ(answer.stratum(), stratum);
    EXPECT_EQ(answer.leap(), 0u);
    EXPECT_EQ(answer.root_dispersion(), 0.25);
  }
}

TEST_F(NtpResponderTest, ClaimsToBeSynchronizedWhenToldTo) {
  kernel_ = {.synchronization = ClockSynchronization::kUnsynchronized,
             .max_error = absl::Seconds(16)};
  Set({.ntp = {.leap = LeapIndicator::kNoWarning, .stratum = 3}});
  const Answer answer = Ask();
  EXPECT_EQ(answer.leap(), 0u);
  EXPECT_EQ(answer.stratum(), 3u);
  EXPECT_EQ(answer.reference_id(), "\x7f\x7f\x01\x01");
  EXPECT_NEAR(answer.root_dispersion(), 0.001, 0.0001);
  EXPECT_EQ(answer.reference(), answer.receive());
  Set({});
  EXPECT_EQ(Ask().leap(), 3u);
}

TEST_F(NtpResponderTest, KissesWhenToldTo) {
  Set({.ntp = {.kiss_code = "DENY"}});
  Answer answer = Ask(Request(2));
  EXPECT_EQ(answer.leap(), 3u);
  EXPECT_EQ(answer.version(), 2u);
  EXPECT_EQ(answer.stratum(), 0u);
  EXPECT_EQ(answer.reference_id(), "DENY");
  EXPECT_EQ(answer.root_dispersion(), 0);
  EXPECT_EQ(answer.reference(), 0u);
  EXPECT_EQ(answer.origin(), kOrigin);
  EXPECT_EQ(AskBeyondTheRate(Request()).reference_id(), "DENY");
  Set({.ntp = {.kiss_code = "X"}});
  EXPECT_EQ(Ask().reference_id(), std::string("X\0\0\0", 4));
}

TEST_F(NtpResponderTest, AWrongStratumDoesNotHideThatTheRateIsExceeded) {
  Set({.ntp = {.stratum = 3}});
  const Answer answer = AskBeyondTheRate(Request());
  EXPECT_EQ(answer.stratum(), 0u);
  EXPECT_EQ(answer.reference_id(), "RATE");
}

}  // namespace
}  // namespace rawgate::timesvc
