#include "services/time/ntp_responder.h"

#include <string>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"
#include "runtime/testing/manual_clock.h"
#include "services/time/ntp_session.h"

namespace rawgate::timesvc {
namespace {

constexpr NtpTimestamp kOrigin = 0xfeed'face'dead'beef;

// The fields of an answer as they are on the wire.
struct Answer {
  explicit Answer(std::string packet) : bytes(std::move(packet)) {}
  unsigned leap() const { return Byte(0) >> 6; }
  unsigned version() const { return Byte(0) >> 3 & 7; }
  unsigned mode() const { return Byte(0) & 7; }
  unsigned stratum() const { return Byte(1); }
  unsigned poll() const { return Byte(2); }
  int precision() const { return static_cast<int8_t>(bytes.at(3)); }
  double root_delay() const { return static_cast<double>(Number(4, 4)) / 65'536; }
  double root_dispersion() const { return static_cast<double>(Number(8, 4)) / 65'536; }
  std::string reference_id() const { return bytes.substr(12, 4); }
  NtpTimestamp reference() const { return Number(16, 8); }
  NtpTimestamp origin() const { return Number(24, 8); }
  NtpTimestamp receive() const { return Number(32, 8); }
  NtpTimestamp transmit() const { return Number(40, 8); }

  unsigned Byte(size_t at) const { return static_cast<unsigned char>(bytes.at(at)); }
  uint64_t Number(size_t at, size_t size) const {
    uint64_t number = 0;
    for (size_t i = at; i < at + size; ++i) number = number << 8 | Byte(i);
    return number;
  }

  std::string bytes;
};

class NtpResponderTest : public ::testing::Test {
 protected:
  std::string Request(unsigned version = 4, unsigned mode = 3) {
    std::string bytes(kNtpHeaderSize, '\0');
    bytes[0] = static_cast<char>(version << 3 | mode);
    bytes[2] = 9;
    bytes.replace(40, 8, "\xfe\xed\xfa\xce\xde\xad\xbe\xef");
    return bytes;
  }

  Answer Ask(const std::string& request, absl::string_view peer = "udp://192.0.2.1:40000") {
    const net::Endpoint source = net::Endpoint::Parse(peer).value();
    std::string reply(kReplyRoom, '?');
    const absl::Time received = received_ahead_ + real_.Now();
    const net::Datagram datagram{source, request, false, received, nullptr};
    // As a listener does.
    if (!session_.IsRequest(datagram)) return Answer("");
    reply.resize(session_.OnDatagram(datagram, reply).value_or(0));
    return Answer(reply);
  }
  Answer Ask() { return Ask(Request()); }
  Answer AskBeyondTheRate(const std::string& request) {
    const net::Endpoint source = net::Endpoint::Parse("udp://192.0.2.1:40000").value();
    std::string reply(kReplyRoom, '?');
    reply.resize(
        session_.OnRateExceeded({source, request, false, real_.Now(), nullptr}, reply).value_or(0));
    return Answer(reply);
  }
  void Set(const ClockSetting& setting) { ASSERT_TRUE(clock_.Set(setting).ok()); }
  NtpTimestamp Now() { return ToNtpTimestamp(clock_.Now()); }

  static constexpr size_t kReplyRoom = NtpResponder::kReplyMax;
  const absl::Time start_ = absl::FromUnixMillis(1'234'567'890'250);
  testing::ManualClock real_{start_};
  TestClock clock_{real_};
  TimeCore core_{clock_};
  absl::Duration received_ahead_;
  int kernel_asked_ = 0;
  KernelClockState kernel_{.synchronization = ClockSynchronization::kSynchronized,
                           .max_error = absl::Milliseconds(250)};
  NtpResponder responder_{core_, {.stratum = 7, .precision = -23, .kernel_clock = [this] {
                                    ++kernel_asked_;
                                    return kernel_;
                                  }}};
  NtpSession session_{responder_};
};

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
