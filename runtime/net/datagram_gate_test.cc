#include "runtime/net/datagram_gate.h"

#include <sched.h>

#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "runtime/net/datagram_listener_testing.h"

namespace rawgate::net {
namespace {

using observe::DropReason;

// Takes what begins with "ask", and tells who asks too fast "slow down".
class PoliteHandler final : public DatagramHandler {
 public:
  bool IsRequest(const Datagram& datagram) override {
    return absl::StartsWith(datagram.payload, "ask");
  }
  std::optional<size_t> OnDatagram(const Datagram& datagram, std::span<char> reply) override {
    received_at = datagram.received_at;
    return absl::string_view("answer").copy(reply.data(), reply.size());
  }
  std::optional<size_t> OnRateExceeded(const Datagram&, std::span<char> reply) override {
    return absl::string_view("slow down").copy(reply.data(), reply.size());
  }

  absl::Time received_at;
};

// Whether a datagram waits in the socket that is bound to `port` of 127.0.0.1: proc(5) has a line
// for each, with its address and, behind a colon, the bytes that nobody has read.
bool HasUnread(uint16_t port) {
  std::ifstream sockets("/proc/net/udp");
  const std::string address = absl::StrFormat("0100007F:%04X ", port);
  for (std::string line; std::getline(sockets, line);) {
    if (!absl::StrContains(line, address + "00000000:0000")) continue;
    return !absl::StrContains(line, " 00000000:00000000 ");
  }
  return false;
}

class DatagramGateTest : public DatagramListenerTest {
 protected:
  std::unique_ptr<DatagramListener> StartedPolite(const DatagramOptions& options) {
    auto listener = std::make_unique<DatagramListener>(
        loop_, "udp", Endpoint::Parse("udp://127.0.0.1:0").value(), options, polite_, events_);
    const absl::Status started = listener->Start();
    EXPECT_TRUE(started.ok()) << started;
    return listener;
  }
  static uint64_t Dropped(DatagramListener& listener, DropReason reason) {
    return listener.counters().dropped[static_cast<size_t>(reason)].value();
  }

  PoliteHandler polite_;
};

TEST_F(DatagramGateTest, WhatIsNoRequestIsDroppedBeforeItTakesFromTheRate) {
  DatagramOptions options = NobodyTrusted();
  options.rates.per_source = 1;
  auto listener = StartedPolite(options);
  UdpClient client(listener->bound_uri());
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(client.Send("noise"));
  EXPECT_EQ(Ask(client, "ask"), "answer");
  EXPECT_EQ(Dropped(*listener, DropReason::kMalformed), 10u);
  EXPECT_EQ(listener->counters().datagrams_dropped(), 10u);
}

TEST_F(DatagramGateTest, ASourceBeyondItsRateIsToldOnceInAWhile) {
  DatagramOptions options = NobodyTrusted();
  options.rates.per_source = 1;
  options.rates.notice_interval = absl::Hours(1);
  auto listener = StartedPolite(options);
  UdpClient client(listener->bound_uri());
  EXPECT_EQ(Ask(client, "ask something"), "answer");
  EXPECT_EQ(Ask(client, "ask something"), "slow down");
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(client.Send("ask something"));
  ASSERT_TRUE(RunUntil([&] { return listener->counters().datagrams_received.value() == 7; }));
  EXPECT_EQ(client.Receive(), std::nullopt);
  EXPECT_EQ(Dropped(*listener, DropReason::kSourceRate), 6u);
  EXPECT_EQ(listener->counters().requests.value(), 1u);
}

TEST_F(DatagramGateTest, ANoticeIsNoLargerThanItsRequest) {
  DatagramOptions options = NobodyTrusted();
  options.rates.per_source = 1;
  options.rates.notice_interval = absl::Hours(1);
  auto listener = StartedPolite(options);
  UdpClient client(listener->bound_uri());
  EXPECT_EQ(Ask(client, "ask"), "answer");
  EXPECT_EQ(Ask(client, "ask!"), "slow");
}

TEST_F(DatagramGateTest, AnAddressOfAnotherProcessesResponderIsNotAnswered) {
  auto listener = StartedPolite({});
  UdpClient responder(listener->bound_uri());
  UdpClient client(listener->bound_uri());
  {
    // As the other process would.
    const Fd announcement = AnnounceResponder(responder.endpoint());
    ASSERT_TRUE(announcement);
    ASSERT_TRUE(responder.Send("ask"));
    ASSERT_TRUE(RunUntil([&] { return Dropped(*listener, DropReason::kResponderPort) == 1; }));
    EXPECT_EQ(Ask(client, "ask"), "answer");
    EXPECT_EQ(responder.Receive(), std::nullopt);
  }
  EXPECT_EQ(Ask(responder, "ask"), "answer") << "it is gone";
}

TEST_F(DatagramGateTest, NorIsOneThatIsBoundToAllAddresses) {
  auto listener = StartedPolite({});
  UdpClient responder(listener->bound_uri());
  const uint16_t port = responder.endpoint().port();
  const Fd announcement =
      AnnounceResponder(Endpoint::Parse(absl::StrCat("udp://0.0.0.0:", port)).value());
  ASSERT_TRUE(announcement);
  ASSERT_TRUE(responder.Send("ask"));
  ASSERT_TRUE(RunUntil([&] { return Dropped(*listener, DropReason::kResponderPort) == 1; }));
  EXPECT_EQ(responder.Receive(), std::nullopt);
}

TEST_F(DatagramGateTest, AListenerAnnouncesItselfWhileItIsBound) {
  auto listener = StartedPolite({});
  const Endpoint address = Endpoint::Parse(listener->bound_uri()).value();
  const LocalResponders responders;
  EXPECT_TRUE(responders.Contains(address));
  listener->Stop([] {});
  EXPECT_FALSE(responders.Contains(address));
}

TEST_F(DatagramGateTest, TheKernelTellsWhenADatagramArrived) {
  DatagramOptions options;
  options.kernel_timestamps = true;
  auto listener = StartedPolite(options);
  UdpClient client(listener->bound_uri());
  const absl::Time before = absl::Now();
  ASSERT_TRUE(client.Send("ask"));
  // Mostly loopback delivers within send(2), but a busy processor puts it off.
  const uint16_t port = Endpoint::Parse(listener->bound_uri()).value().port();
  while (!HasUnread(port)) ::sched_yield();
  const absl::Time arrived = absl::Now();
  EXPECT_EQ(Receive(client), "answer");
  EXPECT_GE(polite_.received_at, before);
  // The loop was run only later.
  EXPECT_LE(polite_.received_at, arrived);
}

TEST_F(DatagramGateTest, WhatTheKernelDropsForWantOfRoomIsCounted) {
  auto listener = StartedPolite({});
  UdpClient client(listener->bound_uri());
  const std::string large(60'000, 'x');
  // More than any receive buffer that is ours; the loop does not run meanwhile.
  for (int i = 0; i < 2'000; ++i) client.Send(large);
  listener->RefreshCounters();
  const uint64_t overflowed = listener->counters().datagrams_overflowed.value();
  EXPECT_GT(overflowed, 0u);
  listener->RefreshCounters();
  EXPECT_EQ(listener->counters().datagrams_overflowed.value(), overflowed) << "counted once";
  ASSERT_TRUE(
      RunUntil([&] { return Dropped(*listener, DropReason::kMalformed) == 2'000 - overflowed; }));
}

TEST(CheckSourceTest, TheAnswerablePortIsAnsweredAlthoughItIsAResponders) {
  const Endpoint ntp = Endpoint::Parse("udp://192.0.2.7:123").value();
  const ResponderPorts::Registration ours(AF_INET, 123);
  EXPECT_EQ(CheckSource(ntp, ResponderPorts::Global()), DropReason::kSourcePort);
  EXPECT_EQ(CheckSource(ntp, ResponderPorts::Global(), 123), DropReason::kNone);
  EXPECT_EQ(
      CheckSource(Endpoint::Parse("udp://192.0.2.7:124").value(), ResponderPorts::Global(), 123),
      DropReason::kSourcePort);
  EXPECT_EQ(
      CheckSource(Endpoint::Parse("udp://224.0.1.1:123").value(), ResponderPorts::Global(), 123),
      DropReason::kSourceAddress);
}

}  // namespace
}  // namespace rawgate::net
