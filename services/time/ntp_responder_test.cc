#include "services/time/ntp_responder.h"

#include <string>

#include "gtest/gtest.h"
#include "services/time/ntp_responder_testing.h"

namespace rawgate::timesvc {
namespace {

TEST_F(NtpResponderTest, AnswersAsASynchronizedServer) {
  received_ahead_ = -absl::Milliseconds(125);
  const Answer answer = Ask();
  ASSERT_EQ(answer.bytes.size(), kNtpHeaderSize);
  EXPECT_EQ(answer.leap(), 0u);
  EXPECT_EQ(answer.version(), 4u);
  EXPECT_EQ(answer.mode(), 4u);
  EXPECT_EQ(answer.stratum(), 7u);
  EXPECT_EQ(answer.poll(), 9u);
  EXPECT_EQ(answer.precision(), -23);
  EXPECT_EQ(answer.root_delay(), 0);
  EXPECT_EQ(answer.root_dispersion(), 0.25);
  EXPECT_EQ(answer.reference_id(), "\x7f\x7f\x01\x01");
  EXPECT_EQ(answer.reference(), ToNtpTimestamp(start_ - absl::Milliseconds(125)));
  EXPECT_EQ(answer.origin(), kOrigin);
  EXPECT_EQ(answer.receive(), ToNtpTimestamp(start_ - absl::Milliseconds(125)));
  EXPECT_EQ(answer.transmit(), ToNtpTimestamp(start_));
}

TEST_F(NtpResponderTest, AnswersInTheVersionAsked) {
  for (unsigned version = 1; version <= 4; ++version) {
    const Answer answer = Ask(Request(version));
    EXPECT_EQ(answer.version(), version);
    EXPECT_EQ(answer.mode(), 4u);
    EXPECT_EQ(answer.bytes.size(), kNtpHeaderSize);
  }
}

TEST_F(NtpResponderTest, AnswersVersionOneWithoutAModeByThePort) {
  const Answer answer = Ask(Request(1, 0), "udp://192.0.2.1:1024");
  EXPECT_EQ(answer.version(), 1u);
  EXPECT_EQ(answer.mode(), 4u);
  EXPECT_EQ(Ask(Request(1, 0), "udp://192.0.2.1:123").bytes, "");
  EXPECT_EQ(Ask(Request(1, 3), "udp://192.0.2.1:123").bytes.size(), kNtpHeaderSize);
}

TEST_F(NtpResponderTest, AnswersNoOtherModeOrVersion) {
  const net::Endpoint peer = net::Endpoint::Parse("udp://192.0.2.1:40000").value();
  std::string reply(kReplyRoom, '?');
  for (unsigned version = 0; version < 8; ++version) {
    for (unsigned mode = 0; mode < 8; ++mode) {
      const bool good = (version >= 1 && version <= 4 && mode == 3) || (version == 1 && mode == 0);
      const std::string request = Request(version, mode);
      const net::Datagram datagram{peer, request, false, start_, nullptr};
      EXPECT_EQ(session_.IsRequest(datagram), good) << version << " " << mode;
      EXPECT_EQ(session_.OnDatagram(datagram, reply).has_value(), good) << version << " " << mode;
      EXPECT_EQ(session_.OnRateExceeded(datagram, reply).has_value(), good);
    }
  }
  EXPECT_FALSE(session_.IsRequest({.peer = peer, .payload = ""}));
  const std::string answer = Ask().bytes;
  EXPECT_FALSE(session_.IsRequest({.peer = peer, .payload = answer}));
}

TEST_F(NtpResponderTest, IsUnsynchronizedUnlessTheKernelSaysOtherwise) {
  for (const ClockSynchronization synchronization :
       {ClockSynchronization::kUnsynchronized, ClockSynchronization::kUnknown}) {
    kernel_.synchronization = synchronization;
    kernel_.leap_insert = true;
    kernel_.max_error = absl::Seconds(16);
    real_.Advance(absl::Seconds(1));
    const Answer answer = Ask();
    EXPECT_EQ(answer.leap(), 3u);
    EXPECT_EQ(answer.stratum(), 0u);
    EXPECT_EQ(answer.reference_id(), "INIT");
    EXPECT_EQ(answer.reference(), 0u);
    EXPECT_EQ(answer.root_dispersion(), 16);
    EXPECT_EQ(answer.origin(), kOrigin);
    EXPECT_EQ(answer.transmit(), Now());
  }
}

TEST_F(NtpResponderTest, AnnouncesTheKernelsLeapSecond) {
  kernel_.leap_insert = true;
  EXPECT_EQ(Ask().leap(), 1u);
  kernel_.leap_insert = false;
  kernel_.leap_delete = true;
  real_.Advance(absl::Seconds(1));
  EXPECT_EQ(Ask().leap(), 2u);
}

TEST_F(NtpResponderTest, AsksTheKernelOnceASecond) {
  for (int i = 0; i < 10; ++i) {
    Ask();
    real_.Advance(absl::Milliseconds(100));
  }
  EXPECT_EQ(kernel_asked_, 1);
  Ask();
  EXPECT_EQ(kernel_asked_, 2);
  real_.Advance(-absl::Hours(1));
  Ask();
  EXPECT_EQ(kernel_asked_, 3);
}

TEST_F(NtpResponderTest, TheReferenceIsNeverLaterThanTheRequest) {
  Ask();
  real_.Advance(-absl::Milliseconds(500));
  const Answer answer = Ask();
  EXPECT_EQ(kernel_asked_, 1);
  EXPECT_EQ(answer.receive(), ToNtpTimestamp(start_ - absl::Milliseconds(500)));
  EXPECT_EQ(answer.reference(), answer.receive());
}

TEST_F(NtpResponderTest, RefusesAMacWithoutVerifyingIt) {
  const std::string request = Request();
  const Answer answer = Ask(request + std::string(20, 'm'));
  EXPECT_EQ(answer.bytes.size(), 52u);
  EXPECT_EQ(answer.bytes.substr(48), std::string(4, '\0'));
  EXPECT_EQ(answer.origin(), kOrigin);
  EXPECT_EQ(Ask(request + std::string(24, 'm')).bytes.size(), 52u);
}

TEST_F(NtpResponderTest, DoesNotEchoExtensionFields) {
  EXPECT_EQ(Ask(Request() + std::string("\x01\x04\x00\x1c", 4) + std::string(24, 'x')).bytes,
            Ask().bytes);
}

TEST_F(NtpResponderTest, NoAnswerLeavesBeforeItsRequest) {
  received_ahead_ = absl::Milliseconds(5);
  const Answer answer = Ask();
  EXPECT_EQ(answer.receive(), ToNtpTimestamp(start_ + absl::Milliseconds(5)));
  EXPECT_EQ(answer.transmit(), answer.receive());
}

TEST_F(NtpResponderTest, AnswersWholeOrNotAtAll) {
  const net::Endpoint peer = net::Endpoint::Parse("udp://192.0.2.1:40000").value();
  const std::string request = Request();
  std::string reply(kNtpHeaderSize - 1, '?');
  EXPECT_EQ(session_.OnDatagram({peer, request, false, start_, nullptr}, reply), std::nullopt);
}

TEST_F(NtpResponderTest, TellsWhoeverIsBeyondItsRate) {
  const Answer answer = AskBeyondTheRate(Request(3));
  EXPECT_EQ(answer.bytes.size(), kNtpHeaderSize);
  EXPECT_EQ(answer.leap(), 3u);
  EXPECT_EQ(answer.version(), 3u);
  EXPECT_EQ(answer.mode(), 4u);
  EXPECT_EQ(answer.stratum(), 0u);
  EXPECT_EQ(answer.poll(), 9u);
  EXPECT_EQ(answer.reference_id(), "RATE");
  EXPECT_EQ(answer.origin(), kOrigin);
  EXPECT_EQ(AskBeyondTheRate(Request() + std::string(20, 'm')).bytes.size(), kNtpHeaderSize);
}

TEST_F(NtpResponderTest, IsHonestWithoutATestClock) {
  TimeCore core(real_);
  NtpResponder responder(core, {.kernel_clock = [this] { return kernel_; }});
  std::string reply(kReplyRoom, '?');
  reply.resize(responder.Answer({.transmit = kOrigin}, start_, reply));
  const Answer answer(reply);
  EXPECT_EQ(answer.stratum(), 10u);
  EXPECT_EQ(answer.transmit(), ToNtpTimestamp(start_));
}

TEST_F(NtpResponderTest, AsksForWhatItNeeds) {
  const net::DatagramOptions options = NtpSession::Options(16);
  EXPECT_TRUE(options.kernel_timestamps);
  EXPECT_TRUE(options.drop_oversized);
  EXPECT_EQ(options.answerable_port, 123);
  EXPECT_EQ(options.rates.per_source, 16.0);
  EXPECT_EQ(options.rates.notice_interval, absl::Seconds(8));
  EXPECT_EQ(options.reply_max, NtpResponder::kReplyMax);
}

TEST(MeasurePrecisionTest, IsTheShortestStepOfTheClock) {
  // Moves by 2^-12 s at every tenth reading.
  class CoarseClock final : public Clock {
   public:
    absl::Time Now() override {
      return absl::UnixEpoch() + absl::Seconds(1) / 4096 * (readings_++ / 10);
    }

   private:
    int64_t readings_ = 0;
  };
  CoarseClock coarse;
  EXPECT_EQ(MeasurePrecision(coarse), -12);
  testing::ManualClock still(absl::UnixEpoch());
  EXPECT_EQ(MeasurePrecision(still), -6);
  SystemClock system;
  EXPECT_LE(MeasurePrecision(system), -10);
  EXPECT_GE(MeasurePrecision(system), -34);
}

}  // namespace
}  // namespace rawgate::timesvc
