#include "runtime/net/stream_listener.h"

#include <unistd.h>

#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/net/stream_listener_testing.h"

namespace rawgate::net {
namespace {

TEST_F(StreamListenerTest, ServesRequestsOneAfterAnotherAndPipelined) {
  Listen();
  RawClient client(Uri());
  ASSERT_TRUE(client.Send("one\n"));
  EXPECT_EQ(client.ReadExactly(4), "one\n");
  ASSERT_TRUE(client.Send("two\nthree\nfour\n"));
  EXPECT_EQ(client.ReadExactly(15), "two\nthree\nfour\n");
}

TEST_F(StreamListenerTest, ServesUnixSocketsAndRemovesTheFile) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/rawgate-listener-", ::getpid());
  Listen({}, absl::StrCat("unix://", path));
  RawClient client(Uri());
  ASSERT_TRUE(client.Send("one\n"));
  EXPECT_EQ(client.ReadExactly(4), "one\n");
  Stop();
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

TEST_F(StreamListenerTest, AnswersAfterAHalfCloseThenCloses) {
  Listen();
  RawClient client(Uri());
  ASSERT_TRUE(client.Send("one\ntwo\n"));
  client.HalfClose();
  EXPECT_EQ(client.ReadToEnd(), "one\ntwo\n");
  EXPECT_TRUE(Eventually([&] { return Closed(CloseReason::kPeerClosed) == 1; }));
}

TEST_F(StreamListenerTest, APeerThatResetsEndsItsOwnConnectionOnly) {
  Listen();
  RawClient good(Uri());
  for (int i = 0; i < 100; ++i) {
    RawClient vanishing(Uri());
    ASSERT_TRUE(vanishing.Send("half a li"));
    vanishing.Reset();
  }
  EXPECT_TRUE(Eventually([&] { return Closed(CloseReason::kReset) == 100; }));
  EXPECT_EQ(Open(), 1);
  ASSERT_TRUE(good.Send("still\n"));
  EXPECT_EQ(good.ReadExactly(6), "still\n");
}

TEST_F(StreamListenerTest, TellsASessionThatItsPeerIsGone) {
  Listen();
  RawClient client(Uri());
  ASSERT_TRUE(client.Send("slow\n"));
  ASSERT_TRUE(Eventually([&] { return handler_->serving_ == 1; }));
  client.Reset();
  EXPECT_TRUE(Eventually([&] { return handler_->gone_ == 1; }));
  EXPECT_TRUE(Eventually([&] { return Open() == 0; }));
}

TEST_F(StreamListenerTest, AHalfCloseIsNotGone) {
  Listen();
  RawClient client(Uri());
  ASSERT_TRUE(client.Send("slow\n"));
  client.HalfClose();
  ASSERT_TRUE(Eventually([&] { return handler_->serving_ == 1; }));
  // A second connection's answer shows that the loop has seen the FIN by now.
  RawClient other(Uri());
  ASSERT_TRUE(other.Send("x\n"));
  EXPECT_EQ(other.ReadExactly(2), "x\n");
  EXPECT_EQ(handler_->gone_, 0);
  thread_.Run([&] { handler_->Release(); });
  EXPECT_EQ(client.ReadToEnd(), "slow\n");
}

TEST_F(StreamListenerTest, WritesMoreThanASocketHolds) {
  Listen();
  RawClient client(Uri());
  ASSERT_TRUE(client.Send("big\n"));
  const std::string answer = client.ReadExactly(kBig);
  EXPECT_EQ(answer.size(), kBig);
  EXPECT_EQ(answer.find_first_not_of('B'), std::string::npos);
}

TEST_F(StreamListenerTest, StopFreesTheAddressAndDrains) {
  Listen();
  const std::string uri = Uri();
  RawClient parked(uri);
  RawClient busy(uri);
  ASSERT_TRUE(busy.Send("slow\n"));
  ASSERT_TRUE(Eventually([&] { return handler_->serving_ == 1 && Open() == 2; }));
  Stop();
  EXPECT_FALSE(RawClient(uri).connected());
  EXPECT_EQ(parked.ReadToEnd(), "");
  EXPECT_FALSE(drained_);
  thread_.Run([&] { handler_->Release(); });
  EXPECT_EQ(busy.ReadToEnd(), "slow\n");
  EXPECT_TRUE(Eventually([&] { return drained_.load(); }));
  // A start binds the very port again.
  ASSERT_TRUE(thread_.Run([&] { return listener_->Start(); }).ok());
  EXPECT_EQ(Uri(), uri);
  EXPECT_TRUE(RawClient(uri).connected());
}

TEST_F(StreamListenerTest, AnOperatorCanCloseAConnection) {
  Listen();
  RawClient client(Uri());
  ASSERT_TRUE(Eventually([&] { return Open() == 1; }));
  std::vector<ConnectionInfo> rows;
  thread_.Run([&] { listener_->List(0, 10, &rows); });
  ASSERT_EQ(rows.size(), 1);
  EXPECT_EQ(rows[0].transport, Transport::kTcp);
  EXPECT_FALSE(thread_.Run([&] { return listener_->CloseConnection(rows[0].id + 1); }));
  EXPECT_TRUE(thread_.Run([&] { return listener_->CloseConnection(rows[0].id); }));
  EXPECT_EQ(client.ReadToEnd(), "");
  EXPECT_EQ(Closed(CloseReason::kOperator), 1);
}

TEST_F(StreamListenerTest, RefusesWhomTheHandlerDoesNotAdmit) {
  Listen();
  handler_->refuse_ = true;
  RawClient client(Uri());
  EXPECT_EQ(client.ReadToEnd(), "");
  EXPECT_TRUE(Eventually([&] { return Closed(CloseReason::kRefused) == 1; }));
}

TEST_F(StreamListenerTest, AnErrorReplyReachesAPeerThatIsStillSending) {
  Listen();
  RawClient client(Uri());
  ASSERT_TRUE(client.Send("bad\n" + std::string(500'000, 'x')));
  client.HalfClose();
  EXPECT_EQ(client.ReadToEnd(), "error\n");
  EXPECT_TRUE(Eventually([&] { return Closed(CloseReason::kProtocolError) == 1; }));
}

TEST_F(StreamListenerTest, WhatThePeerDoesNextIsNotWhyItIsClosed) {
  Listen();
  RawClient client(Uri());
  ASSERT_TRUE(client.Send("bad\n"));
  EXPECT_EQ(client.ReadExactly(6), "error\n");
  client.Reset();
  EXPECT_TRUE(Eventually([&] { return Closed(CloseReason::kProtocolError) == 1; }));
  EXPECT_EQ(Closed(CloseReason::kReset), 0);
}

TEST_F(StreamListenerTest, AnExceptionEndsOneConnection) {
  Listen();
  RawClient good(Uri());
  RawClient client(Uri());
  ASSERT_TRUE(client.Send("throw\n"));
  EXPECT_EQ(client.ReadToEnd(), "");
  EXPECT_EQ(Closed(CloseReason::kLocalError), 1);
  ASSERT_TRUE(good.Send("still\n"));
  EXPECT_EQ(good.ReadExactly(6), "still\n");
}

TEST_F(StreamListenerTest, EveryReadIsAnEvent) {
  Listen();
  const auto watcher = events_.Watch();
  RawClient client(Uri());
  ASSERT_TRUE(client.Send("hello\n"));
  EXPECT_EQ(client.ReadExactly(6), "hello\n");
  client.Close();
  ASSERT_TRUE(Eventually([&] { return Open() == 0; }));
  uint64_t received = 0;
  bool opened = false, closed = false;
  for (const observe::Event& event : watcher->Take(100).events) {
    if (const auto* chunk = std::get_if<observe::ChunkReceived>(&event.body))
      received += chunk->size;
    opened |= std::holds_alternative<observe::ConnectionOpened>(event.body);
    closed |= std::holds_alternative<observe::ConnectionClosed>(event.body);
  }
  EXPECT_EQ(received, 6);
  EXPECT_TRUE(opened);
  EXPECT_TRUE(closed);
}

TEST(StreamListenerBindTest, ATakenPortIsAClearError) {
  LoopThread thread;
  observe::EventLog events;
  LineEcho handler(thread.loop());
  StreamListener first(thread.loop(), "first", *Endpoint::Parse("tcp://127.0.0.1:0"), {}, handler,
                       events);
  ASSERT_TRUE(thread.Run([&] { return first.Start(); }).ok());
  StreamListener second(thread.loop(), "second", *Endpoint::Parse(first.bound_uri()), {}, handler,
                        events);
  const absl::Status status = thread.Run([&] { return second.Start(); });
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), "BIND_FAILED");
  thread.Stop();
}

}  // namespace
}  // namespace rawgate::net
