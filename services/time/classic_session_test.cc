#include "services/time/classic_session.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "runtime/testing/loop_thread.h"
#include "runtime/testing/manual_clock.h"
#include "runtime/testing/raw_client.h"

namespace rawgate::timesvc {
namespace {

using ::rawgate::testing::RawClient;

const std::string kDaytime = "Fri Feb 13 23:31:30 2009\r\n";
const std::string kTime = "\xcd\x40\x81\x52";

// Everything until the end of the stream, which is not to be a reset.
std::string ReadToFin(RawClient& client) {
  std::string text;
  std::array<char, 1024> buffer;
  ssize_t size = 0;
  while ((size = ::recv(client.fd(), buffer.data(), buffer.size(), 0)) > 0) {
    text.append(buffer.data(), static_cast<size_t>(size));
  }
  EXPECT_EQ(size, 0) << errno;
  return text;
}

class ClassicSessionTest : public ::testing::Test {
 protected:
  void SetUp() override { ::setenv("TZ", "UTC0", 1); }
  void TearDown() override { thread_.Stop(); }

  // The address of a listener that serves `handler`.
  std::string Serve(net::StreamHandler& handler, const net::StreamOptions& options = {}) {
    streams_.push_back(std::make_unique<net::StreamListener>(
        thread_.loop(), "stream", net::Endpoint::Parse("tcp://127.0.0.1:0").value(), options,
        handler, events_));
    return Start(*streams_.back());
  }
  std::string Serve(net::DatagramHandler& handler) {
    datagrams_.push_back(std::make_unique<net::DatagramListener>(
        thread_.loop(), "datagram", net::Endpoint::Parse("udp://127.0.0.1:0").value(),
        ClassicDatagramSession::Options(), handler, events_));
    return Start(*datagrams_.back());
  }
  std::string Start(net::Listener& listener) {
    EXPECT_TRUE(thread_.Run([&] { return listener.Start(); }).ok());
    return listener.bound_uri();
  }
  bool Closed(net::CloseReason reason) {
    const observe::Counters& counters = streams_.back()->counters();
    return testing::Eventually(
        [&] { return counters.closed[static_cast<size_t>(reason)].value() == 1; });
  }
  std::string Answer(ClassicProtocol protocol, size_t limit = kClassicAnswerMax) {
    std::string answer(limit, '?');
    answer.resize(AnswerClassic(protocol, core_, answer));
    return answer;
  }

  testing::ManualClock real_{absl::FromUnixSeconds(1'234'567'890)};
  TestClock clock_{real_};
  TimeCore core_{clock_};
  ClassicStreamSession daytime_stream_{ClassicProtocol::kDaytime, core_};
  ClassicStreamSession time_stream_{ClassicProtocol::kTime, core_};
  ClassicDatagramSession daytime_datagram_{ClassicProtocol::kDaytime, core_};
  ClassicDatagramSession time_datagram_{ClassicProtocol::kTime, core_};
  testing::LoopThread thread_;
  observe::EventLog events_;
  std::vector<std::unique_ptr<net::StreamListener>> streams_;
  std::vector<std::unique_ptr<net::DatagramListener>> datagrams_;
};

TEST_F(ClassicSessionTest, TellsTheTimeToWhoeverConnects) {
  RawClient daytime(Serve(daytime_stream_));
  EXPECT_EQ(ReadToFin(daytime), kDaytime);
  RawClient time(Serve(time_stream_));
  EXPECT_EQ(ReadToFin(time), kTime);
  RawClient half_closed(streams_[0]->bound_uri());
  half_closed.HalfClose();
  EXPECT_EQ(ReadToFin(half_closed), kDaytime);
}

TEST_F(ClassicSessionTest, WhatTheClientSendsDoesNotCostItTheAnswer) {
  const std::string address = Serve(daytime_stream_);
  for (int i = 0; i < 20; ++i) {
    RawClient client(address);
    ASSERT_TRUE(client.Send(std::string(64 << 10, 'x')));
    EXPECT_EQ(ReadToFin(client), kDaytime);
  }
}

TEST_F(ClassicSessionTest, EndsTheConnectionWhenTheClientDoes) {
  RawClient client(Serve(time_stream_));
  EXPECT_EQ(ReadToFin(client), kTime);
  const observe::Counters& counters = streams_[0]->counters();
  EXPECT_EQ(counters.connections_open.value(), 1u);
  client.Close();
  EXPECT_TRUE(testing::Eventually([&] { return counters.connections_open.value() == 0; }));
  EXPECT_EQ(counters.requests.value(), 1u);
  EXPECT_EQ(counters.closed[static_cast<size_t>(net::CloseReason::kPeerClosed)].value(), 1u);
}

TEST_F(ClassicSessionTest, SaysWhyItEndedAConnectionItself) {
  RawClient silent(Serve(daytime_stream_, {.header_timeout = std::chrono::milliseconds(20)}));
  EXPECT_EQ(ReadToFin(silent), kDaytime);
  EXPECT_TRUE(Closed(net::CloseReason::kHeaderDeadline));

  RawClient talkative(Serve(daytime_stream_));
  while (talkative.Send(std::string(64 << 10, 'x'))) continue;
  EXPECT_TRUE(Closed(net::CloseReason::kLimit));

  RawClient gone(Serve(daytime_stream_));
  EXPECT_EQ(ReadToFin(gone), kDaytime);
  gone.Reset();
  EXPECT_TRUE(Closed(net::CloseReason::kReset));
}

TEST_F(ClassicSessionTest, AnswersAnyDatagram) {
  for (const std::string& payload :
       {std::string(), std::string("what time is it?"), std::string(60'000, 'x')}) {
    RawClient daytime(Serve(daytime_datagram_));
    ASSERT_TRUE(daytime.Send(payload));
    EXPECT_EQ(daytime.ReadSome(), kDaytime);
    RawClient time(Serve(time_datagram_));
    ASSERT_TRUE(time.Send(payload));
    EXPECT_EQ(time.ReadSome(), kTime);
  }
}

TEST_F(ClassicSessionTest, TellsTheTestClocksTimeInTheServersZone) {
  ::setenv("TZ", "XYZ-5:45", 1);
  ASSERT_TRUE(clock_.Set({.offset = -absl::Hours(24 * 10)}).ok());
  EXPECT_EQ(Answer(ClassicProtocol::kDaytime), "Wed Feb  4 05:16:30 2009\r\n");
  EXPECT_EQ(Answer(ClassicProtocol::kTime), "\xcd\x33\x52\x52");
}

TEST_F(ClassicSessionTest, SecondsBeginAgainIn2036) {
  const absl::Time era =
      absl::FromCivil(absl::CivilSecond(2036, 2, 7, 6, 28, 16), absl::UTCTimeZone());
  ASSERT_TRUE(clock_.Set({.offset = era - real_.Now() - absl::Seconds(1)}).ok());
  EXPECT_EQ(Answer(ClassicProtocol::kTime), "\xff\xff\xff\xff");
  real_.Advance(absl::Seconds(2));
  EXPECT_EQ(Answer(ClassicProtocol::kTime), std::string("\0\0\0\1", 4));
}

TEST_F(ClassicSessionTest, WritesNoMoreThanItMay) {
  EXPECT_EQ(Answer(ClassicProtocol::kDaytime, 10), kDaytime.substr(0, 10));
  EXPECT_EQ(Answer(ClassicProtocol::kTime, 3), kTime.substr(0, 3));
  EXPECT_EQ(Answer(ClassicProtocol::kTime, 0), "");
}

}  // namespace
}  // namespace rawgate::timesvc
