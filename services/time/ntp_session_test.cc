// NTP through a real datagram listener; what it answers is ntp_responder_test.cc's.
#include "services/time/ntp_session.h"

#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/endian/conversion.hpp>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "runtime/testing/loop_until.h"
#include "runtime/testing/udp_client.h"

namespace rawgate::timesvc {
namespace {

using ::rawgate::testing::Receive;
using ::rawgate::testing::UdpClient;

std::string Request(uint8_t number = 0) {
  std::string bytes(kNtpHeaderSize, '\0');
  bytes[0] = 0x23;  // version 4, mode 3
  bytes[47] = static_cast<char>(number);
  return bytes;
}

absl::Time TimestampAt(const std::string& packet, size_t at) {
  return FromNtpTimestamp(
      boost::endian::load_big_u64(reinterpret_cast<const unsigned char*>(packet.data()) + at),
      absl::Now());
}

class NtpSessionTest : public ::testing::Test {
 protected:
  void Serve(const net::DatagramOptions& options) {
    listener_ = std::make_unique<net::DatagramListener>(
        loop_, "ntp", net::Endpoint::Parse("udp://127.0.0.1:0").value(), options, session_,
        events_);
    ASSERT_TRUE(listener_->Start().ok());
    client_ = std::make_unique<UdpClient>(listener_->bound_uri());
  }
  bool Dropped(uint64_t count) {
    return testing::RunUntil(loop_,
                             [&] { return listener_->counters().datagrams_dropped() == count; });
  }

  boost::asio::io_context loop_;
  observe::EventLog events_;
  SystemClock clock_;
  TimeCore core_{clock_};
  NtpResponder responder_{core_, {}};
  NtpSession session_{responder_};
  std::unique_ptr<net::DatagramListener> listener_;
  std::unique_ptr<UdpClient> client_;
};

TEST_F(NtpSessionTest, TheReceiveStampIsTheKernels) {
  Serve(NtpSession::Options(16));
  // What clocks that are read by turns, and rounding, may differ by.
  const absl::Duration grain = absl::Microseconds(1);
  bool stamped_on_arrival = false;
  // The kernel may take a while to begin stamping.
  for (int i = 0; i < 1000 && !stamped_on_arrival; ++i) {
    const absl::Time sent = absl::Now();
    ASSERT_TRUE(client_->Send(Request()));
    // The loop does not run meanwhile, so a stamp of ours would be later than this.
    const absl::Time arrived = absl::Now();
    const std::string answer = Receive(loop_, *client_);
    ASSERT_EQ(answer.size(), kNtpHeaderSize);
    EXPECT_GE(TimestampAt(answer, 32), sent - grain);
    EXPECT_GE(TimestampAt(answer, 40), arrived - grain);
    stamped_on_arrival = TimestampAt(answer, 32) <= arrived + grain;
  }
  EXPECT_TRUE(stamped_on_arrival);
}

TEST_F(NtpSessionTest, WhatIsNoRequestIsDroppedAsMalformed) {
  Serve(NtpSession::Options(16));
  std::string control = Request();
  control[0] = 0x26;  // mode 6
  ASSERT_TRUE(client_->Send(control));
  ASSERT_TRUE(client_->Send(Request().substr(0, 47)));
  ASSERT_TRUE(client_->Send(Request() + std::string(1000, '\0')));
  ASSERT_TRUE(client_->Send(Request(9)));
  EXPECT_EQ(Receive(loop_, *client_).substr(24, 8), Request(9).substr(40));
  EXPECT_TRUE(Dropped(3));
  EXPECT_EQ(client_->Receive(), std::nullopt);
}

TEST_F(NtpSessionTest, BeyondItsRateASourceGetsOneKissAndThenSilence) {
  net::DatagramOptions options = NtpSession::Options(4);
  options.trusted = [](const net::Endpoint&) { return false; };
  Serve(options);
  constexpr int kRequests = 100;
  for (int i = 0; i < kRequests; ++i) ASSERT_TRUE(client_->Send(Request()));
  const observe::Counters& counters = listener_->counters();
  ASSERT_TRUE(
      testing::RunUntil(loop_, [&] { return counters.datagrams_received.value() == kRequests; }));
  int answers = 0;
  int kisses = 0;
  while (const std::optional<std::string> answer = client_->Receive()) {
    ++(answer->substr(12, 4) == "RATE" ? kisses : answers);
  }
  EXPECT_EQ(kisses, 1);
  // The burst, and what time had passed for.
  EXPECT_GE(answers, 4);
  EXPECT_LT(answers, kRequests / 2);
}

}  // namespace
}  // namespace rawgate::timesvc
