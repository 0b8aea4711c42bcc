// How streams with faults end, over loopback.
#include <poll.h>

#include <cerrno>
#include <string>

#include "runtime/net/fault_relay_testing.h"

namespace rawgate::net {
namespace {

TEST_F(FaultRelayTest, CutsWhatClientsAreSent) {
  Listen();
  Set({.stream_sent = {.cut_after_bytes = 5}});
  RawClient client(Uri());
  ASSERT_TRUE(client.Send("0123456789\n"));
  EXPECT_EQ(client.ReadExactly(11), "01234");
  EXPECT_EQ(EndOf(client), 0);
  EXPECT_EQ(Counters().connections_cut, 1u);
  // The service has its own end of it, and a new connection is cut anew.
  EXPECT_TRUE(Eventually([&] { return Open() == 0; }));
  RawClient next(Uri());
  ASSERT_TRUE(next.Send("0123456789\n"));
  EXPECT_EQ(next.ReadToEnd(), "01234");
}

TEST_F(FaultRelayTest, CutsWhatClientsSendByAReset) {
  Listen();
  Set({.stream_received = {.cut_after_bytes = 6, .cut_with_reset = true}});
  RawClient client(Uri());
  ASSERT_TRUE(client.Send("a\nbc\nd\ne\n"));
  EXPECT_EQ(EndOf(client), ECONNRESET);
  EXPECT_EQ(Counters().connections_cut, 1u);
  EXPECT_TRUE(Eventually([&] { return Closed(CloseReason::kReset) == 1; }));
}

// All that was to come before it is there, however much that is.
TEST_F(FaultRelayTest, AResetDestroysNothingThatHasPassed) {
  Listen();
  Set({.stream_sent = {.cut_after_bytes = 1 << 20, .cut_with_reset = true}});
  RawClient client(Uri());
  ASSERT_TRUE(client.Send("big\n"));
  EXPECT_EQ(client.ReadExactly(1 << 20).size(), 1u << 20);
  EXPECT_EQ(EndOf(client), ECONNRESET);
}

// The client goes on sending, and is not reset for it: it gets its end.
TEST_F(FaultRelayTest, ACutByFinIsNoReset) {
  Listen({.header_timeout = std::chrono::milliseconds(300)});
  Set({.stream_received = {.cut_after_bytes = 1}});
  RawClient client(Uri());
  ASSERT_TRUE(client.Send(std::string(100'000, 'x')));
  EXPECT_EQ(EndOf(client), 0);
  EXPECT_EQ(Counters().connections_cut, 1u);
}

TEST_F(FaultRelayTest, TheFirstConnectionsFail) {
  Listen();
  Set({.fail_first = 2});
  for (int i = 0; i < 2; ++i) {
    RawClient client(Uri());
    EXPECT_EQ(EndOf(client), ECONNRESET);
  }
  RawClient client(Uri());
  ASSERT_TRUE(client.Send("a\n"));
  EXPECT_EQ(client.ReadExactly(2), "a\n");
  EXPECT_EQ(Counters().failed_first, 2u);
  EXPECT_EQ(listener_->counters().connections_opened.value(), 1u);
}

TEST_F(FaultRelayTest, StoppingTakesThemAway) {
  Listen();
  Set({.stream_sent = {.delay = 60'000 * kMillisecond}});
  RawClient client(Uri());
  ASSERT_TRUE(client.Send("hello\n"));
  EXPECT_TRUE(Eventually([&] { return listener_->counters().bytes_sent.value() == 6; }));
  Stop();
  EXPECT_EQ(client.ReadToEnd(), "hello\n");
  EXPECT_TRUE(Eventually([&] { return drained_.load(); }));
  EXPECT_TRUE(thread_.Run([&] { return listener_->faults().empty(); }));
}

// A drain waits for what is on its way to a client, and its end ends that.
TEST_F(FaultRelayTest, CloseAllEndsWhatIsOnItsWay) {
  Listen({.stall_timeout = std::chrono::milliseconds::max()});
  Set({.stream_received = {.delay = kMillisecond}});
  RawClient client(Uri());
  ASSERT_TRUE(client.Send("big\n"));
  EXPECT_TRUE(Eventually([&] { return listener_->counters().bytes_sent.value() > 0; }));
  Stop();
  EXPECT_FALSE(drained_.load());
  thread_.Run([&] { listener_->CloseAll(); });
  EXPECT_TRUE(Eventually([&] { return drained_.load(); }));
}

TEST_F(FaultRelayTest, AServiceThatClosesHasItsLastWordsPassedOn) {
  Listen();
  Set({.stream_sent = {.delay = 50 * kMillisecond}});
  RawClient client(Uri());
  ASSERT_TRUE(client.Send("bad\n"));
  EXPECT_EQ(client.ReadToEnd(), "error\n");
  client.Close();
  EXPECT_TRUE(Eventually([&] { return Closed(CloseReason::kProtocolError) == 1; }));
}

// Also where each piece waits for the one before it to be taken.
TEST_F(FaultRelayTest, WhoTakesNothingIsNotWaitedForWithoutEnd) {
  Listen({.stall_timeout = std::chrono::milliseconds(200)});
  Set({.stream_sent = {.split_bytes = 1 << 16}});
  RawClient client(Uri());
  ASSERT_TRUE(client.Send("big\n"));
  EXPECT_TRUE(Eventually([&] { return Closed(CloseReason::kStalled) == 1; }));
  EXPECT_TRUE(Eventually([&] {
    pollfd broken{client.fd(), 0, 0};
    return ::poll(&broken, 1, 0) == 1 && (broken.revents & POLLERR) != 0;
  }));
}

TEST_F(FaultRelayTest, AResetOfTheClientReachesTheService) {
  Listen();
  Set({.stream_received = {.delay = kMillisecond}});
  RawClient client(Uri());
  ASSERT_TRUE(client.Send("slow\n"));
  EXPECT_TRUE(Eventually([&] { return handler_->serving_ == 1; }));
  client.Reset();
  EXPECT_TRUE(Eventually([&] { return handler_->gone_ == 1; }));
  EXPECT_TRUE(Eventually([&] { return Closed(CloseReason::kReset) == 1; }));
}

TEST_F(FaultRelayTest, SoDoesOneAfterAHalfClose) {
  Listen();
  Set({.stream_received = {.delay = kMillisecond}});
  RawClient client(Uri());
  ASSERT_TRUE(client.Send("slow\n"));
  client.HalfClose();
  EXPECT_TRUE(Eventually([&] { return handler_->serving_ == 1; }));
  client.Reset();
  EXPECT_TRUE(Eventually([&] { return handler_->gone_ == 1; }));
  EXPECT_TRUE(Eventually([&] { return Open() == 0; }));
}

TEST_F(FaultRelayTest, HitsAreEvents) {
  Listen();
  const auto watcher = events_.Watch();
  Set({.stream_sent = {.cut_after_bytes = 1, .cut_with_reset = true}});
  RawClient client(Uri());
  ASSERT_TRUE(client.Send("hello\n"));
  EXPECT_EQ(EndOf(client), ECONNRESET);
  for (const observe::Event& event : watcher->Take(100).events) {
    const auto* const hit = std::get_if<observe::FaultHit>(&event.body);
    if (hit == nullptr) continue;
    EXPECT_EQ(hit->fault, "reset");
    EXPECT_FALSE(hit->received);
    EXPECT_NE(event.connection_id, 0u);
    return;
  }
  ADD_FAILURE() << "no FaultHit";
}

}  // namespace
}  // namespace rawgate::net
