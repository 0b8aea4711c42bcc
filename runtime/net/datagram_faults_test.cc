// A datagram listener that was told to misbehave, over loopback.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/net/datagram_listener_testing.h"

namespace rawgate::net {
namespace {

constexpr Nanoseconds kMillisecond = 1'000'000;

class DatagramFaultsTest : public DatagramListenerTest {
 protected:
  // What came until `count` have.
  std::vector<std::string> ReceiveSome(UdpClient& client, size_t count) {
    std::vector<std::string> received;
    while (received.size() < count) received.push_back(Receive(client));
    return received;
  }
  // What is sent and answered without anything lost comes last.
  bool IsServed(DatagramListener& listener, uint64_t datagrams) {
    return RunUntil([&] { return listener.counters().datagrams_received.value() == datagrams; });
  }
};

TEST_F(DatagramFaultsTest, LosesWhatComes) {
  const auto listener = Started();
  UdpClient client(listener->bound_uri());
  listener->SetFaults({.datagrams_received = {.loss = 1}});
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(client.Send("gone"));
  EXPECT_TRUE(RunUntil([&] { return listener->fault_counters().datagrams_lost == 3; }));
  EXPECT_EQ(listener->counters().datagrams_received.value(), 0u) << "it never came";
  listener->SetFaults({});
  EXPECT_EQ(Ask(client, "hello"), "hello");
  EXPECT_EQ(listener->fault_counters().datagrams_lost, 0u);
}

TEST_F(DatagramFaultsTest, LosesWhatIsSent) {
  const auto listener = Started();
  UdpClient client(listener->bound_uri());
  listener->SetFaults({.datagrams_sent = {.loss = 1}});
  ASSERT_TRUE(client.Send("gone"));
  EXPECT_TRUE(RunUntil([&] { return listener->fault_counters().datagrams_lost == 1; }));
  EXPECT_EQ(listener->counters().datagrams_received.value(), 1u);
  EXPECT_EQ(listener->counters().datagrams_sent.value(), 0u) << "it never went";
}

TEST_F(DatagramFaultsTest, DoublesEitherWay) {
  const auto listener = Started();
  UdpClient client(listener->bound_uri());
  listener->SetFaults(
      {.datagrams_received = {.duplication = 1}, .datagrams_sent = {.duplication = 1}});
  ASSERT_TRUE(client.Send("a"));
  EXPECT_EQ(ReceiveSome(client, 4), (std::vector<std::string>{"a", "a", "a", "a"}));
  EXPECT_EQ(listener->fault_counters().datagrams_duplicated, 3u);
}

TEST_F(DatagramFaultsTest, Corrupts) {
  const auto listener = Started();
  UdpClient client(listener->bound_uri());
  listener->SetFaults({.datagrams_sent = {.corruption = 1}});
  const std::string answer = Ask(client, "hello");
  EXPECT_EQ(answer.size(), 5u);
  EXPECT_NE(answer, "hello");
}

TEST_F(DatagramFaultsTest, Delays) {
  const auto listener = Started();
  UdpClient client(listener->bound_uri());
  listener->SetFaults({.datagrams_received = {.delay = 60 * kMillisecond},
                       .datagrams_sent = {.delay = 60 * kMillisecond}});
  const Nanoseconds begun = MonotonicNow();
  EXPECT_EQ(Ask(client, "hello"), "hello");
  EXPECT_GE(MonotonicNow() - begun, 120 * kMillisecond);
}

TEST_F(DatagramFaultsTest, TheNextOvertakes) {
  const auto listener = Started();
  UdpClient client(listener->bound_uri());
  listener->SetFaults({.datagrams_received = {.reordering = 1}});
  ASSERT_TRUE(client.Send("a"));
  EXPECT_TRUE(RunUntil([&] { return listener->fault_counters().datagrams_reordered == 1; }));
  EXPECT_EQ(Receive(client), "a") << "nothing came that could overtake it";
}

TEST_F(DatagramFaultsTest, TheFirstAreDropped) {
  const auto listener = Started();
  UdpClient client(listener->bound_uri());
  listener->SetFaults({.fail_first = 2});
  for (const char* each : {"a", "b", "c"}) ASSERT_TRUE(client.Send(each));
  EXPECT_EQ(Receive(client), "c");
  EXPECT_EQ(listener->fault_counters().failed_first, 2u);
}

// Answers that come later, such as chat's, are subject to it as well.
TEST_F(DatagramFaultsTest, WhatTheCoreSendsIsSubjectToIt) {
  const auto listener = Started();
  UdpClient client(listener->bound_uri());
  EXPECT_EQ(Ask(client, "hello"), "hello");
  listener->SetFaults({.datagrams_sent = {.loss = 1}});
  EXPECT_TRUE(listener->Send(client.endpoint(), "later").ok());
  EXPECT_EQ(listener->fault_counters().datagrams_lost, 1u);
  listener->SetFaults({.datagrams_sent = {.duplication = 1}});
  EXPECT_TRUE(listener->Send(client.endpoint(), "later").ok());
  EXPECT_EQ(ReceiveSome(client, 2), (std::vector<std::string>{"later", "later"}));
}

TEST_F(DatagramFaultsTest, TheSameSeedLosesTheSame) {
  const auto listener = Started();
  const auto run = [&](uint64_t seed) {
    UdpClient client(listener->bound_uri());
    listener->SetFaults({.seed = seed, .datagrams_received = {.loss = 0.5}});
    std::vector<std::string> answers;
    for (int i = 0; i < 40; ++i) {
      const uint64_t lost = listener->fault_counters().datagrams_lost;
      EXPECT_TRUE(client.Send(absl::StrCat(i)));
      std::optional<std::string> answer;
      EXPECT_TRUE(RunUntil([&] {
        answer = client.Receive();
        return answer.has_value() || listener->fault_counters().datagrams_lost > lost;
      }));
      answers.push_back(answer.value_or("-"));
    }
    return answers;
  };
  EXPECT_EQ(run(11), run(11));
  EXPECT_NE(run(11), run(12));
}

TEST_F(DatagramFaultsTest, TakenAwayWhatWaitsGoesOn) {
  const auto listener = Started();
  UdpClient client(listener->bound_uri());
  listener->SetFaults({.datagrams_sent = {.delay = 60'000 * kMillisecond}});
  ASSERT_TRUE(client.Send("hello"));
  EXPECT_TRUE(IsServed(*listener, 1));
  listener->SetFaults({});
  EXPECT_EQ(Receive(client), "hello");
}

TEST_F(DatagramFaultsTest, StoppingTakesThemAway) {
  const auto listener = Started();
  UdpClient client(listener->bound_uri());
  listener->SetFaults({.datagrams_received = {.delay = 60'000 * kMillisecond}});
  ASSERT_TRUE(client.Send("hello"));
  // Nothing tells that it waits, but that the next turn of the loop has read it.
  for (int turn = 0; turn < 3; ++turn) {
    loop_.restart();
    loop_.poll();
  }
  listener->Stop([] {});
  EXPECT_TRUE(listener->faults().empty());
  EXPECT_EQ(Receive(client), "hello");
}

TEST_F(DatagramFaultsTest, MayBeDestroyedWithDatagramsWaiting) {
  auto listener = Started();
  UdpClient client(listener->bound_uri());
  listener->SetFaults({.datagrams_sent = {.delay = 10 * kMillisecond}});
  ASSERT_TRUE(client.Send("hello"));
  EXPECT_TRUE(IsServed(*listener, 1));
  listener->Stop([] {});
  listener.reset();
  EXPECT_EQ(Receive(client), "hello");
}

TEST_F(DatagramFaultsTest, HitsAreEvents) {
  const auto listener = Started();
  const auto watcher = events_.Watch();
  UdpClient client(listener->bound_uri());
  listener->SetFaults({.datagrams_received = {.loss = 1}});
  ASSERT_TRUE(client.Send("gone"));
  EXPECT_TRUE(RunUntil([&] { return listener->fault_counters().datagrams_lost == 1; }));
  const auto events = watcher->Take(100).events;
  ASSERT_EQ(events.size(), 1u) << "nothing was received";
  const auto& hit = std::get<observe::FaultHit>(events[0].body);
  EXPECT_EQ(hit.fault, "loss");
  EXPECT_EQ(hit.peer, client.endpoint().ToUri());
  EXPECT_TRUE(hit.received);
}

}  // namespace
}  // namespace rawgate::net
