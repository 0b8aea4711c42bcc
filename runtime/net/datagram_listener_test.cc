#include "runtime/net/datagram_listener.h"

#include <cerrno>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/net/datagram_listener_testing.h"
#include "runtime/net/datagram_rules.h"
#include "runtime/testing/udp_client.h"

namespace rawgate::net {
namespace {

TEST_F(DatagramListenerTest, AnswersItsSender) {
  for (const char* host : {"127.0.0.1", "[::1]"}) {
    const auto listener = Started(absl::StrCat("udp://", host, ":0"));
    UdpClient a(listener->bound_uri(), absl::StrCat("udp://", host, ":0"));
    UdpClient b(listener->bound_uri(), absl::StrCat("udp://", host, ":0"));
    ASSERT_TRUE(a.Send("from a"));
    ASSERT_TRUE(b.Send("from b"));
    EXPECT_EQ(Receive(b), "from b");
    EXPECT_EQ(Receive(a), "from a");
    EXPECT_EQ(handler_.last_listener, listener.get());
  }
}

TEST_F(DatagramListenerTest, AnyBytesOfAnySize) {
  const auto listener = Started();
  UdpClient client(listener->bound_uri());
  EXPECT_EQ(Ask(client, ""), "");
  EXPECT_EQ(Ask(client, std::string("\0a\0", 3)), std::string("\0a\0", 3));
  const std::string largest(65'507, 'x');
  EXPECT_EQ(Ask(client, largest), largest);
  EXPECT_FALSE(handler_.last_truncated);
}

TEST_F(DatagramListenerTest, NoAnswerIsNone) {
  const auto listener = Started();
  UdpClient client(listener->bound_uri());
  ASSERT_TRUE(client.Send("silence"));
  EXPECT_EQ(Ask(client, "next"), "next");
  EXPECT_EQ(listener->counters().datagrams_received.value(), 2u);
  EXPECT_EQ(listener->counters().requests.value(), 2u);
  EXPECT_EQ(listener->counters().datagrams_sent.value(), 1u);
  EXPECT_EQ(listener->counters().datagrams_dropped(), 0u);
}

TEST_F(DatagramListenerTest, AnswersABurstOfManyBatches) {
  const auto listener = Started();
  UdpClient client(listener->bound_uri());
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 150; ++i) ASSERT_TRUE(client.Send(absl::StrCat(i)));
    for (int i = 0; i < 150; ++i) ASSERT_EQ(Receive(client), absl::StrCat(i));
  }
  EXPECT_EQ(listener->counters().datagrams_received.value(), 3000u);
  EXPECT_EQ(listener->counters().datagrams_sent.value(), 3000u);
}

TEST_F(DatagramListenerTest, BoundToAllAddressesAnswersFromTheOneAsked) {
  const auto v4 = Started("udp://0.0.0.0:0");
  for (const char* host : {"127.0.0.1", "127.0.0.2", "127.45.6.7"}) {
    // A connected socket hears only the address that it asked.
    UdpClient client(absl::StrCat("udp://", host, Port(*v4)));
    EXPECT_EQ(Ask(client, host), host);
    ASSERT_TRUE(v4->Send(client.endpoint(), "later").ok());
    EXPECT_EQ(Receive(client), "later");
    std::vector<ConnectionInfo> peers;
    v4->List(0, 10, &peers);
    for (const ConnectionInfo& peer : peers) v4->CloseConnection(peer.id);
    ASSERT_TRUE(v4->Send(client.endpoint(), "forgotten", handler_.last_local).ok());
    EXPECT_EQ(Receive(client), "forgotten");
  }
  const auto v6 = Started("udp://[::]:0");
  UdpClient client(absl::StrCat("udp://[::1]", Port(*v6)), "udp://[::1]:0");
  EXPECT_EQ(Ask(client, "6"), "6");
}

TEST_F(DatagramListenerTest, FamiliesHaveTheSamePortApart) {
  const auto v4 = Started("udp://0.0.0.0:0");
  const auto v6 = Started(absl::StrCat("udp://[::]", Port(*v4)));
  UdpClient client(absl::StrCat("udp://127.0.0.1", Port(*v4)));
  EXPECT_EQ(Ask(client, "4"), "4");
  EXPECT_EQ(handler_.last_listener, v4.get());
}

TEST_F(DatagramListenerTest, ABroadcastIsNotAnswered) {
  const auto listener = Started("udp://0.0.0.0:0");
  UdpClient broadcaster(absl::StrCat("udp://127.255.255.255", Port(*listener)));
  ASSERT_TRUE(broadcaster.Send("anybody?"));
  UdpClient client(absl::StrCat("udp://127.0.0.1", Port(*listener)));
  EXPECT_EQ(Ask(client, "you"), "you");
  EXPECT_EQ(listener->counters().datagrams_received.value(), 2u);
  EXPECT_EQ(listener->counters().datagrams_dropped(), 1u);
}

TEST_F(DatagramListenerTest, APeerThatHasGoneHarmsNobody) {
  const auto listener = Started();
  for (int i = 0; i < 100; ++i) {
    UdpClient gone(listener->bound_uri());
    ASSERT_TRUE(gone.Send("are you there?"));
  }
  UdpClient client(listener->bound_uri());
  EXPECT_EQ(Ask(client, "still"), "still");
  EXPECT_EQ(Ask(client, "here"), "here");
}

TEST_F(DatagramListenerTest, StopsAtOnceAndStartsOnTheSamePort) {
  const auto listener = Started();
  const std::string uri = listener->bound_uri();
  UdpClient client(uri);
  EXPECT_EQ(Ask(client, "1"), "1");

  bool drained = false;
  listener->Stop([&] { drained = true; });
  EXPECT_TRUE(drained);
  EXPECT_EQ(listener->bound_uri(), "");
  EXPECT_TRUE(client.Send("2"));
  EXPECT_TRUE(RunUntil([&] { return !client.Receive() && client.error() == ECONNREFUSED; }));
  EXPECT_EQ(ReasonOf(listener->Send(client.endpoint(), "x")), "SERVICE_STOPPED");

  ASSERT_TRUE(listener->Start().ok());
  EXPECT_EQ(listener->bound_uri(), uri);
  EXPECT_EQ(Ask(client, "3"), "3");
  EXPECT_EQ(listener->counters().datagrams_received.value(), 2u) << "totals survive";
}

TEST_F(DatagramListenerTest, StoppingAndStartingInOneTurnOfTheLoop) {
  const auto listener = Started();
  UdpClient client(listener->bound_uri());
  // The wait of the first binding completes, then finds itself closed.
  ASSERT_TRUE(client.Send("lost"));
  for (int i = 0; i < 10; ++i) {
    listener->Stop([] {});
    ASSERT_TRUE(listener->Start().ok());
  }
  EXPECT_EQ(Ask(client, "kept"), "kept");
}

TEST_F(DatagramListenerTest, MayBeDestroyedWhileTheLoopRunsOn) {
  auto listener = Started();
  UdpClient client(listener->bound_uri());
  ASSERT_TRUE(client.Send("x"));
  listener.reset();
  loop_.restart();
  loop_.poll();
  EXPECT_EQ(handler_.last_listener, nullptr);
}

TEST_F(DatagramListenerTest, AStoppedListenersPortIsNoRespondersPort) {
  const auto listener = Started();
  const uint16_t port = Endpoint::Parse(listener->bound_uri()).value().port();
  EXPECT_TRUE(ResponderPorts::Global().Contains(AF_INET, port));
  listener->Stop([] {});
  EXPECT_FALSE(ResponderPorts::Global().Contains(AF_INET, port));
}

TEST_F(DatagramListenerTest, TellsWhyItCannotBind) {
  const auto listener = Started();
  const auto second = Make(listener->bound_uri());
  const absl::Status taken = second->Start();
  EXPECT_EQ(taken.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(taken), "BIND_FAILED");
  EXPECT_EQ(second->bound_uri(), "");
  for (const char* uri : {"udp://224.0.0.1:0", "udp://255.255.255.255:0", "udp://[ff02::1]:0"}) {
    EXPECT_EQ(ReasonOf(Make(uri)->Start()), "BIND_FAILED") << uri;
  }
}

TEST_F(DatagramListenerTest, AFailedSendIsCountedAndTold) {
  const auto listener = Started();
  UdpClient client(listener->bound_uri());
  const absl::Status status = listener->Send(client.endpoint(), std::string(65'508, 'x'));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(status), "SEND_FAILED");
  EXPECT_EQ(listener->counters().send_failures.value(), 1u);
  EXPECT_EQ(Ask(client, "on"), "on");
}

TEST_F(DatagramListenerTest, ListsItsPeers) {
  const auto listener = Started();
  UdpClient a(listener->bound_uri());
  UdpClient b(listener->bound_uri());
  Ask(a, "one");
  Ask(b, "three");
  Ask(a, "two");
  std::vector<ConnectionInfo> rows;
  listener->List(0, 10, &rows);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].peer, a.endpoint().ToUri());
  EXPECT_EQ(rows[0].listener, "udp");
  EXPECT_EQ(rows[0].transport, Transport::kUdp);
  EXPECT_EQ(rows[0].requests, 2u);
  EXPECT_EQ(rows[0].bytes_received, 6u);
  EXPECT_EQ(rows[0].bytes_sent, 6u);
  EXPECT_EQ(rows[1].peer, b.endpoint().ToUri());

  EXPECT_TRUE(listener->CloseConnection(rows[0].id));
  EXPECT_FALSE(listener->CloseConnection(rows[0].id));
  std::vector<ConnectionInfo> rest;
  listener->List(0, 10, &rest);
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].id, rows[1].id);
  EXPECT_EQ(Ask(a, "back"), "back") << "forgotten is not refused";
}

TEST_F(DatagramListenerTest, RecordsWhatHappens) {
  const auto a = Started();
  const auto b = Started();
  UdpClient client(a->bound_uri());
  const auto watcher = events_.Watch();
  Ask(client, std::string(300, 'x'));
  ASSERT_TRUE(b->Send(Endpoint::Parse(a->bound_uri()).value(), "forged").ok());
  ASSERT_TRUE(RunUntil([&] { return a->counters().datagrams_dropped() == 1; }));

  const std::vector<observe::Event> events = watcher->Take(10).events;
  ASSERT_EQ(events.size(), 4u);
  const auto& received = std::get<observe::DatagramReceived>(events[0].body);
  EXPECT_EQ(events[0].listener, "udp");
  EXPECT_NE(events[0].connection_id, 0u);
  EXPECT_EQ(received.peer, client.endpoint().ToUri());
  EXPECT_EQ(received.size, 300u);
  EXPECT_EQ(received.sample, std::string(observe::kSampleBytesMax, 'x'));
  EXPECT_EQ(received.dropped, "");
  const auto& sent = std::get<observe::DatagramSent>(events[1].body);
  EXPECT_EQ(sent.peer, client.endpoint().ToUri());
  EXPECT_EQ(sent.size, 300u);
  EXPECT_TRUE(std::holds_alternative<observe::DatagramSent>(events[2].body));
  EXPECT_EQ(std::get<observe::DatagramReceived>(events[3].body).dropped, "responder_port");
}

}  // namespace
}  // namespace rawgate::net
