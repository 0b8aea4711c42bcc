// How connections end, and what their streams are told of it.
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "runtime/http2/connection.h"
#include "runtime/http2/connection_testing.h"
#include "runtime/http2/frame_testing.h"

namespace rawgate::http2 {
namespace {

TEST_F(ConnectionTest, GoAwayLetsWhatThereIsEnd) {
  StartBoth();
  TestStream call;
  TestStream& served = BeginAtServer(call);
  Do([&] { server_.connection->GoAway(); });
  ASSERT_TRUE(Until([&] { return client_.goaways == 1; }));
  TestStream late;
  Do([&] { EXPECT_FALSE(client_.connection->Begin(late, Request(), false)); });
  EXPECT_FALSE(late.open());
  Do([&] {
    call.Write("still");
    call.EndWriting();
  });
  ASSERT_TRUE(Until([&] { return served.data == "still"; }));
  EXPECT_FALSE(server_.ended.has_value());
  Do([&] { served.SendHeaders(Answer(), true); });
  ASSERT_TRUE(Until([&] { return server_.ended.has_value() && client_.ended.has_value(); }));
  EXPECT_EQ(*call.closed, kNoError);
  EXPECT_EQ(call.blocks.size(), 1U);
  EXPECT_EQ(client_.goaways, 1);
}

TEST_F(ConnectionTest, GoAwayOfAnIdleOneIsItsEnd) {
  StartBoth();
  ASSERT_TRUE(Until([&] { return client_.ready == 1; }));
  Do([&] { server_.connection->GoAway(); });
  EXPECT_TRUE(Until([&] { return server_.ended.has_value() && client_.ended.has_value(); }));
}

TEST_F(ConnectionTest, RequestsBehindALastOneWereNotLookedAt) {
  StartBoth();
  TestStream call;
  BeginAtServer(call);
  TestStream late;
  // At the same time: neither knows of the other.
  Do([&] {
    EXPECT_TRUE(client_.connection->Begin(late, Request(), false));
    server_.connection->GoAway();
  });
  ASSERT_TRUE(Until([&] { return late.closed.has_value(); }));
  EXPECT_EQ(*late.closed, kRefused);
  EXPECT_EQ(server_.requests.size(), 1U);
  EXPECT_FALSE(call.closed.has_value());
}

TEST_F(ConnectionTest, WhoeverIsAskedToGoIsServedMeanwhile) {
  StartBoth();
  ASSERT_TRUE(Until([&] { return client_.ready == 1; }));
  TestStream late;
  Do([&] {
    server_.connection->AskToGo();
    EXPECT_TRUE(client_.connection->Begin(late, Request(), false));
  });
  ASSERT_TRUE(Until([&] { return client_.goaways == 1 && !server_.requests.empty(); }));
  ASSERT_TRUE(Until([&] { return !server_.requests[0]->blocks.empty(); }));
  Do([&] { server_.requests[0]->SendHeaders(Answer(), true); });
  ASSERT_TRUE(Until([&] { return late.closed.has_value(); }));
  EXPECT_EQ(late.blocks.size(), 1U);
}

// Numbers of streams are used once: a connection that has none left takes no more requests, and its
// owner knows before one is refused.
TEST_F(ConnectionTest, TheLastNumberOfAStreamIsLikeAGoaway) {
  StartBoth();
  ASSERT_TRUE(Until([&] { return client_.ready == 1; }));
  SetNextStream(0x7ffffffd);
  TestStream last_but_one;
  BeginAtServer(last_but_one);
  EXPECT_EQ(client_.goaways, 0);
  TestStream last;
  TestStream& served = BeginAtServer(last);
  EXPECT_EQ(client_.goaways, 1);
  TestStream none;
  Do([&] { EXPECT_FALSE(client_.connection->Begin(none, Request(), true)); });
  Do([&] {
    last_but_one.Abandon(kCancel);
    served.SendHeaders(Answer(), true);
  });
  ASSERT_TRUE(Until([&] { return client_.ended.has_value() && server_.ended.has_value(); }));
  EXPECT_EQ(last.closed, kNoError);
  EXPECT_EQ(client_.goaways, 1);
}

TEST_F(ConnectionTest, TheEndTellsEveryStreamAndThenTheOwner) {
  StartBoth();
  TestStream first;
  TestStream second;
  BeginAtServer(first);
  BeginAtServer(second);
  Do([&] { server_.connection->End("enough"); });
  ASSERT_TRUE(Until([&] { return server_.ended.has_value() && client_.ended.has_value(); }));
  EXPECT_EQ(*server_.ended, "enough");
  for (const TestStream* stream : {&first, &second, server_.requests[0].get()})
    EXPECT_EQ(stream->closed, kConnectionLost);
  EXPECT_EQ(*client_.ended, "the peer closed");
}

TEST_F(ConnectionTest, WhatWasWrittenBeforeTheEndArrives) {
  StartBoth();
  TestStream call;
  TestStream& served = BeginAtServer(call, /*end=*/true);
  Do([&] {
    served.SendHeaders(Answer(), false);
    served.Write("last words");
    served.EndWithTrailers(Trailers());
    server_.connection->End("enough");
  });
  ASSERT_TRUE(Until([&] { return client_.ended.has_value(); }));
  EXPECT_EQ(call.data, "last words");
  EXPECT_EQ(call.closed, kNoError);
}

TEST_F(ConnectionTest, APeerThatVanishesEndsEverything) {
  StartServer();
  Send(client_fd_,
       kPreface + Frame(kSettings, 0, 0) + Frame(kHeaders, kEndHeaders, 1, RequestBlock()));
  ASSERT_TRUE(Until([&] { return !server_.requests.empty(); }));
  client_fd_.Reset();
  ASSERT_TRUE(Until([&] { return server_.ended.has_value(); }));
  EXPECT_EQ(server_.requests[0]->closed, kConnectionLost);
  EXPECT_EQ(server_.requests[0]->ends, 0);
}

TEST_F(ConnectionTest, APingIsAnswered) {
  StartBoth();
  ASSERT_TRUE(Until([&] { return client_.ready == 1; }));
  const auto before = server_.traffic->bytes_received.value();
  const auto last = server_.connection->last_received();
  Do([&] { server_.connection->Ping(); });
  ASSERT_TRUE(Until([&] { return server_.traffic->bytes_received.value() > before; }));
  EXPECT_GT(server_.connection->last_received(), last);
}

TEST_F(ConnectionTest, IdleSinceItsLastStreamEnded) {
  StartBoth();
  TestStream call;
  TestStream& served = BeginAtServer(call, /*end=*/true);
  EXPECT_EQ(server_.connection->idle_since(), loop_.now());
  Do([&] { served.SendHeaders(Answer(), true); });
  const auto since = server_.connection->idle_since();
  Do([] {});
  EXPECT_EQ(server_.connection->idle_since(), since);
  EXPECT_LT(since, loop_.now());
}

}  // namespace
}  // namespace rawgate::http2
