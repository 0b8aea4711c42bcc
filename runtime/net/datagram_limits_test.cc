// What a datagram listener does not answer, or not in full: the rules against loops and
// amplification.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/net/datagram_listener.h"
#include "runtime/net/datagram_listener_testing.h"
#include "runtime/net/datagram_rules.h"
#include "runtime/testing/udp_client.h"

namespace rawgate::net {
namespace {

using ::testing::ElementsAre;

TEST_F(DatagramListenerTest, CutsWhatIsTooLong) {
  DatagramOptions options;
  options.payload_max = 4;
  const auto listener = Started("udp://127.0.0.1:0", options);
  UdpClient client(listener->bound_uri());
  EXPECT_EQ(Ask(client, "01234567"), "0123");
  EXPECT_TRUE(handler_.last_truncated);
  EXPECT_EQ(Ask(client, "0123"), "0123");
  EXPECT_FALSE(handler_.last_truncated);
  EXPECT_EQ(listener->counters().bytes_received.value(), 12u) << "as sent";
}

TEST_F(DatagramListenerTest, OrDropsItAndTells) {
  DatagramOptions options;
  options.payload_max = 4;
  options.drop_oversized = true;
  const auto listener = Started("udp://127.0.0.1:0", options);
  UdpClient client(listener->bound_uri());
  ASSERT_TRUE(client.Send("01234"));
  EXPECT_EQ(Ask(client, "0123"), "0123");
  EXPECT_THAT(handler_.oversized, ElementsAre("0123"));
  EXPECT_EQ(listener->counters().datagrams_dropped(), 1u);
  EXPECT_EQ(listener->counters().requests.value(), 1u);
}

TEST_F(DatagramListenerTest, LimitsAnswersToThoseItDoesNotTrust) {
  const auto listener = Started("udp://127.0.0.1:0", NobodyTrusted());
  UdpClient client(listener->bound_uri());
  Ask(client, "");
  EXPECT_EQ(handler_.last_reply_limit, 64u);
  Ask(client, std::string(100, 'x'));
  EXPECT_EQ(handler_.last_reply_limit, 400u);
}

TEST_F(DatagramListenerTest, CountsTheSizeAsSentForTheLimit) {
  DatagramOptions options = NobodyTrusted();
  options.payload_max = 10;
  options.reply_max = 500;
  const auto listener = Started("udp://127.0.0.1:0", options);
  UdpClient client(listener->bound_uri());
  Ask(client, std::string(100, 'x'));
  EXPECT_EQ(handler_.last_reply_limit, 400u);
}

TEST_F(DatagramListenerTest, LimitsTheRateOfThoseItDoesNotTrust) {
  DatagramOptions options = NobodyTrusted();
  // Slow enough that no token comes back while the test runs.
  options.rates.per_source = 1e-3;
  const auto listener = Started("udp://127.0.0.1:0", options);
  UdpClient first(listener->bound_uri());
  UdpClient other(listener->bound_uri(), "udp://127.0.0.2:0");
  EXPECT_EQ(Ask(first, "1"), "1");
  ASSERT_TRUE(first.Send("2"));
  EXPECT_EQ(Ask(other, "3"), "3") << "another source has its own rate";
  EXPECT_EQ(first.Receive(), std::nullopt);
  EXPECT_EQ(listener->counters().datagrams_dropped(), 1u);
}

TEST_F(DatagramListenerTest, LimitsTheRateOfAllTogether) {
  DatagramOptions options = NobodyTrusted();
  options.rates.global = 1e-3;
  const auto listener = Started("udp://127.0.0.1:0", options);
  UdpClient first(listener->bound_uri());
  UdpClient other(listener->bound_uri(), "udp://127.0.0.2:0");
  EXPECT_EQ(Ask(first, "1"), "1");
  ASSERT_TRUE(other.Send("2"));
  ASSERT_TRUE(RunUntil([&] { return listener->counters().datagrams_dropped() == 1; }));
  EXPECT_EQ(other.Receive(), std::nullopt);
}

TEST_F(DatagramListenerTest, TrustedPeersAreExemptFromRates) {
  DatagramOptions options;
  options.rates.per_source = 1e-3;
  options.rates.global = 1e-3;
  const auto listener = Started("udp://127.0.0.1:0", options);
  UdpClient client(listener->bound_uri());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Ask(client, "x"), "x");
}

TEST_F(DatagramListenerTest, TwoRespondersDoNotTalkToEachOther) {
  const auto a = Started();
  const auto b = Started();
  // What a forged first datagram would bring about.
  ASSERT_TRUE(a->Send(Endpoint::Parse(b->bound_uri()).value(), "ping").ok());
  ASSERT_TRUE(RunUntil([&] { return b->counters().datagrams_received.value() == 1; }));
  EXPECT_EQ(b->counters().datagrams_dropped(), 1u);
  EXPECT_EQ(b->counters().datagrams_sent.value(), 0u);
  EXPECT_EQ(a->counters().datagrams_received.value(), 0u);
}

}  // namespace
}  // namespace rawgate::net
