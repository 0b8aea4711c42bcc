// Holds the code to the examples of PROTOCOL.md.
#include <cstdlib>
#include <optional>
#include <span>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "runtime/net/datagram_rules.h"
#include "runtime/testing/manual_clock.h"
#include "runtime/testing/protocol_examples.h"
#include "services/time/classic_session.h"
#include "services/time/ntp_session.h"
#include "services/time/time_core.h"
#include "services/time/time_session.h"

namespace rawgate::timesvc {
namespace {

class TimeProtocolTest : public ::testing::Test {
 protected:
  void SetUp() override { ::setenv("TZ", "UTC0", 1); }

  std::string AnswerFormat(const testing::Example& example) {
    TimeDatagramSession session(core_);
    const bool trusted = !absl::StrContains(example.name, "off loopback");
    const size_t room = net::ReplyLimit(trusted, example.messages[0].bytes.size(),
                                        TimeDatagramSession::Options().reply_max);
    return AnswerWith(example, room, [&](const net::Datagram& datagram, std::span<char> reply) {
      return session.OnDatagram(datagram, reply);
    });
  }

  std::string AnswerClassically(const testing::Example& example, ClassicProtocol protocol) {
    ClassicDatagramSession session(protocol, core_);
    return AnswerWith(example, kClassicAnswerMax,
                      [&](const net::Datagram& datagram, std::span<char> reply) {
                        return session.OnDatagram(datagram, reply);
                      });
  }

  std::string AnswerNtp(const testing::Example& example) {
    const bool synchronized = !absl::StrContains(example.name, "not synchronised");
    const bool beyond_rate = absl::StrContains(example.name, "beyond the rate");
    const KernelClockState kernel_clock{
        .synchronization = synchronized ? ClockSynchronization::kSynchronized
                                        : ClockSynchronization::kUnsynchronized,
        .max_error = synchronized ? absl::Milliseconds(250) : absl::Seconds(16)};
    NtpResponder responder(core_, {.precision = -23, .kernel_clock = [&] { return kernel_clock; }});
    NtpSession session(responder);
    return AnswerWith(example, NtpResponder::kReplyMax,
                      [&](const net::Datagram& datagram, std::span<char> reply) {
                        EXPECT_TRUE(session.IsRequest(datagram));
                        return beyond_rate ? session.OnRateExceeded(datagram, reply)
                                           : session.OnDatagram(datagram, reply);
                      });
  }

  std::string Answer(const testing::Example& example) {
    if (example.name == "daytime") return AnswerClassically(example, ClassicProtocol::kDaytime);
    if (example.name == "time") return AnswerClassically(example, ClassicProtocol::kTime);
    return absl::StartsWith(example.name, "ntp") ? AnswerNtp(example) : AnswerFormat(example);
  }

 private:
  template <typename Serve>
  std::string AnswerWith(const testing::Example& example, size_t room, Serve serve) {
    const net::Endpoint peer = net::Endpoint::Parse("udp://127.0.0.1:40000").value();
    std::string reply(room, '?');
    const std::optional<size_t> size =
        serve({peer, example.messages[0].bytes, false, clock_.Now(), nullptr}, reply);
    return size.has_value() ? reply.substr(0, *size) : "(nothing)";
  }

  testing::ManualClock clock_{absl::FromUnixSeconds(1'234'567'890)};
  TimeCore core_{clock_};
};

TEST_F(TimeProtocolTest, ExamplesAreTrue) {
  const auto examples = testing::ReadExamples("services/time/PROTOCOL.md");
  EXPECT_EQ(examples.size(), 11u);
  for (const testing::Example& example : examples) {
    SCOPED_TRACE(example.name);
    ASSERT_EQ(example.messages.size(), 2u);
    ASSERT_EQ(example.messages[0].side, 'C');
    ASSERT_EQ(example.messages[1].side, 'S');
    EXPECT_EQ(absl::CHexEscape(Answer(example)), absl::CHexEscape(example.messages[1].bytes));
  }
}

}  // namespace
}  // namespace rawgate::timesvc
