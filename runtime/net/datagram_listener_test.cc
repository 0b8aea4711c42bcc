#include "runtime/net/datagram_listener.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/net/datagram_rules.h"
#include "runtime/testing/udp_client.h"

namespace rawgate::net {
namespace {

using rawgate::testing::UdpClient;
using ::testing::ElementsAre;

// Answers each datagram with itself, "silence" with nothing.
class EchoHandler final : public DatagramHandler {
 public:
  std::optional<size_t> OnDatagram(const Datagram& datagram, std::span<char> reply) override {
    last_truncated = datagram.truncated;
    last_listener = datagram.listener;
    last_reply_limit = reply.size();
    if (datagram.payload == "silence") return std::nullopt;
    return datagram.payload.copy(reply.data(), reply.size());
  }
  void OnOversized(const Datagram& datagram) override { oversized.emplace_back(datagram.payload); }

  bool last_truncated = false;
  DatagramListener* last_listener = nullptr;
  size_t last_reply_limit = 0;
  std::vector<std::string> oversized;
};

class DatagramListenerTest : public ::testing::Test {
 protected:
  std::unique_ptr<DatagramListener> Make(absl::string_view uri,
                                         const DatagramOptions& options = {}) {
    return std::make_unique<DatagramListener>(loop_, "udp", Endpoint::Parse(uri).value(), options,
                                              handler_, events_);
  }
  std::unique_ptr<DatagramListener> Started(absl::string_view uri = "udp://127.0.0.1:0",
                                            const DatagramOptions& options = {}) {
    auto listener = Make(uri, options);
    const absl::Status started = listener->Start();
    EXPECT_TRUE(started.ok()) << started;
    return listener;
  }

  // Runs the loop until `done`; false when that takes unreasonably long.
  bool RunUntil(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      loop_.restart();
      loop_.run_one_for(std::chrono::milliseconds(5));
    }
    return true;
  }
  std::string Receive(UdpClient& client) {
    std::optional<std::string> payload;
    const auto arrived = [&] { return (payload = client.Receive()).has_value(); };
    return RunUntil(arrived) ? *payload : "(nothing came)";
  }
  std::string Ask(UdpClient& client, absl::string_view payload) {
    EXPECT_TRUE(client.Send(payload));
    return Receive(client);
  }
  static std::string Port(const Listener& listener) {
    const std::string uri = listener.bound_uri();
    return uri.substr(uri.rfind(':'));
  }

  asio::io_context loop_{1};
  observe::EventLog events_;
  EchoHandler handler_;
};

DatagramOptions NobodyTrusted() {
  DatagramOptions options;
  options.trusted = [](const Endpoint&) { return false; };
  return options;
}

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
  EXPECT_EQ(listener->counters().datagrams_dropped.value(), 0u);
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
  EXPECT_EQ(listener->counters().datagrams_dropped.value(), 1u);
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
  options.rate_per_source = 1e-3;
  const auto listener = Started("udp://127.0.0.1:0", options);
  UdpClient first(listener->bound_uri());
  UdpClient other(listener->bound_uri(), "udp://127.0.0.2:0");
  EXPECT_EQ(Ask(first, "1"), "1");
  ASSERT_TRUE(first.Send("2"));
  EXPECT_EQ(Ask(other, "3"), "3") << "another source has its own rate";
  EXPECT_EQ(first.Receive(), std::nullopt);
  EXPECT_EQ(listener->counters().datagrams_dropped.value(), 1u);
}

TEST_F(DatagramListenerTest, LimitsTheRateOfAllTogether) {
  DatagramOptions options = NobodyTrusted();
  options.rate_global = 1e-3;
  const auto listener = Started("udp://127.0.0.1:0", options);
  UdpClient first(listener->bound_uri());
  UdpClient other(listener->bound_uri(), "udp://127.0.0.2:0");
  EXPECT_EQ(Ask(first, "1"), "1");
  ASSERT_TRUE(other.Send("2"));
  ASSERT_TRUE(RunUntil([&] { return listener->counters().datagrams_dropped.value() == 1; }));
  EXPECT_EQ(other.Receive(), std::nullopt);
}

TEST_F(DatagramListenerTest, TrustedPeersAreExemptFromRates) {
  DatagramOptions options;
  options.rate_per_source = 1e-3;
  options.rate_global = 1e-3;
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
  EXPECT_EQ(b->counters().datagrams_dropped.value(), 1u);
  EXPECT_EQ(b->counters().datagrams_sent.value(), 0u);
  EXPECT_EQ(a->counters().datagrams_received.value(), 0u);
}

TEST_F(DatagramListenerTest, BoundToAllAddressesAnswersFromTheOneAsked) {
  const auto v4 = Started("udp://0.0.0.0:0");
  for (const char* host : {"127.0.0.1", "127.0.0.2", "127.45.6.7"}) {
    // A connected socket hears only the address that it asked.
    UdpClient client(absl::StrCat("udp://", host, Port(*v4)));
    EXPECT_EQ(Ask(client, host), host);
    ASSERT_TRUE(v4->Send(client.endpoint(), "later").ok());
    EXPECT_EQ(Receive(client), "later");
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
  EXPECT_EQ(listener->counters().datagrams_dropped.value(), 1u);
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
  ASSERT_TRUE(RunUntil([&] { return a->counters().datagrams_dropped.value() == 1; }));

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
