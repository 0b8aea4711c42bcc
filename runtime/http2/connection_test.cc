#include "runtime/http2/connection.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "runtime/http2/connection_testing.h"
#include "runtime/http2/frame_testing.h"

namespace rawgate::http2 {
namespace {

TEST_F(ConnectionTest, BothAreReadyOnceTheOthersSettingsAreThere) {
  StartBoth();
  EXPECT_FALSE(server_.connection->ready());
  EXPECT_TRUE(Until([&] { return server_.ready == 1 && client_.ready == 1; }));
  EXPECT_TRUE(server_.connection->ready());
  EXPECT_TRUE(server_.connection->idle());
}

TEST_F(ConnectionTest, RequestAnswerAndTrailers) {
  StartBoth();
  TestStream call;
  HeaderList request = Request();
  request.Add("secret", "s", /*sensitive=*/true);
  Do([&] {
    EXPECT_TRUE(client_.connection->Begin(call, request, false));
    call.Write("pi");
    call.Write("ng");
    call.EndWriting();
    call.EndWriting();
  });
  ASSERT_TRUE(Until([&] { return !server_.requests.empty() && server_.requests[0]->ends == 1; }));
  TestStream& served = *server_.requests[0];
  ASSERT_EQ(served.blocks.size(), 1U);
  EXPECT_EQ(served.blocks[0].Find(":path"), "/x");
  EXPECT_EQ(served.blocks[0].size(), 5U);
  EXPECT_TRUE(served.blocks[0][4].sensitive);
  EXPECT_FALSE(served.blocks[0][2].sensitive);
  EXPECT_EQ(served.data, "ping");
  EXPECT_EQ(call.sent, 4U);
  EXPECT_FALSE(server_.connection->idle());

  Do([&] {
    served.SendHeaders(Answer(), false);
    served.Write("pong");
    served.EndWithTrailers(Trailers());
  });
  ASSERT_TRUE(Until([&] { return call.closed.has_value() && served.closed.has_value(); }));
  EXPECT_EQ(*call.closed, kNoError);
  EXPECT_EQ(*served.closed, kNoError);
  ASSERT_EQ(call.blocks.size(), 2U);
  EXPECT_EQ(call.blocks[0].Find(":status"), "200");
  EXPECT_EQ(call.blocks[1].Find("grpc-status"), "0");
  EXPECT_EQ(call.data, "pong");
  EXPECT_EQ(call.ends, 1);
  EXPECT_FALSE(call.open());
  EXPECT_TRUE(server_.connection->idle());
  EXPECT_EQ(server_.traffic->streams.value(), 1U);
  EXPECT_EQ(server_.traffic->bytes_received.value(), client_.traffic->bytes_sent.value());
  EXPECT_EQ(server_.traffic->bytes_sent.value(), client_.traffic->bytes_received.value());
}

TEST_F(ConnectionTest, HeadersMayBeAllOfARequestAndOfAnAnswer) {
  StartBoth();
  TestStream call;
  TestStream& served = BeginAtServer(call, /*end=*/true);
  EXPECT_EQ(served.ends, 1);
  EXPECT_TRUE(call.writing_ended());
  Do([&] { served.SendHeaders(Answer(), /*end=*/true); });
  ASSERT_TRUE(Until([&] { return call.closed.has_value(); }));
  EXPECT_EQ(call.blocks.size(), 1U);
  EXPECT_EQ(call.ends, 1);
  EXPECT_EQ(*call.closed, kNoError);
}

TEST_F(ConnectionTest, TrailersWithoutABodyAreASecondBlock) {
  StartBoth();
  TestStream call;
  TestStream& served = BeginAtServer(call, /*end=*/true);
  Do([&] { served.SendHeaders(Answer(), false); });
  ASSERT_TRUE(Until([&] { return call.blocks.size() == 1; }));
  EXPECT_EQ(call.ends, 0);
  Do([&] { served.EndWithTrailers(Trailers()); });
  ASSERT_TRUE(Until([&] { return call.closed.has_value(); }));
  EXPECT_EQ(call.blocks.size(), 2U);
}

TEST_F(ConnectionTest, AHalfCloseLeavesTheOtherHalf) {
  StartBoth();
  TestStream call;
  TestStream& served = BeginAtServer(call);
  Do([&] { call.EndWriting(); });
  ASSERT_TRUE(Until([&] { return served.ends == 1; }));
  Do([&] {
    served.SendHeaders(Answer(), false);
    served.Write("one");
  });
  ASSERT_TRUE(Until([&] { return call.data == "one"; }));
  EXPECT_FALSE(call.closed.has_value());
  Do([&] {
    served.Write("two");
    served.EndWriting();
  });
  ASSERT_TRUE(Until([&] { return call.closed.has_value(); }));
  EXPECT_EQ(call.data, "onetwo");
  EXPECT_EQ(call.ends, 1);
}

// What the client has still to say is of interest to nobody: neither waits for it.
TEST_F(ConnectionTest, AWholeAnswerEndsARequestThatIsNot) {
  StartBoth();
  TestStream call;
  TestStream& served = BeginAtServer(call);
  Do([&] {
    call.Write("half");
    served.SendHeaders(Answer(), false);
    served.EndWithTrailers(Trailers());
  });
  ASSERT_TRUE(Until([&] { return call.closed.has_value() && served.closed.has_value(); }));
  EXPECT_EQ(*call.closed, kNoError);
  EXPECT_EQ(call.blocks.size(), 2U);
}

TEST_F(ConnectionTest, ClientsResetIsToldToTheServer) {
  StartBoth();
  TestStream call;
  TestStream& served = BeginAtServer(call);
  Do([&] {
    call.Write("never sent");
    call.Abandon(kCancel);
  });
  EXPECT_FALSE(call.open());
  ASSERT_TRUE(Until([&] { return served.closed.has_value(); }));
  EXPECT_EQ(*served.closed, kCancel);
  EXPECT_EQ(served.ends, 0);
  // Whoever abandons is told nothing more.
  EXPECT_FALSE(call.closed.has_value());
}

TEST_F(ConnectionTest, ServersResetIsToldToTheClient) {
  StartBoth();
  TestStream call;
  TestStream& served = BeginAtServer(call);
  Do([&] { served.Abandon(kEnhanceYourCalm); });
  ASSERT_TRUE(Until([&] { return call.closed.has_value(); }));
  EXPECT_EQ(*call.closed, kEnhanceYourCalm);
  EXPECT_FALSE(served.closed.has_value());
  // Both may say what they like to it.
  Do([&] {
    for (TestStream* over : {&call, &served}) {
      over->Write("x");
      over->Consume(1);
      over->EndWithTrailers(Trailers());
      over->EndWriting();
      over->Abandon(kCancel);
    }
    served.SendHeaders(Answer(), true);
  });
  TestStream next;
  BeginAtServer(next);
}

TEST_F(ConnectionTest, AResetBeforeTheRequestHasGoneIsNoErrorToThePeer) {
  StartBoth();
  ASSERT_TRUE(Until([&] { return client_.ready == 1; }));
  TestStream call;
  Do([&] {
    EXPECT_TRUE(client_.connection->Begin(call, Request(), false));
    call.Abandon(kCancel);
  });
  TestStream next;
  BeginAtServer(next);
  EXPECT_FALSE(server_.ended.has_value());
  EXPECT_TRUE(client_.connection != nullptr);
}

TEST_F(ConnectionTest, AStreamThatGoesIsAbandoned) {
  StartBoth();
  auto call = std::make_unique<TestStream>();
  TestStream& served = BeginAtServer(*call);
  Do([&] { call.reset(); });
  ASSERT_TRUE(Until([&] { return served.closed.has_value(); }));
  EXPECT_EQ(*served.closed, kCancel);
  EXPECT_TRUE(client_.connection->idle());
}

TEST_F(ConnectionTest, ARefusedRequestWasNotLookedAt) {
  StartBoth();
  server_.refuses = true;
  TestStream call;
  Begin(call, Request(), false);
  ASSERT_TRUE(Until([&] { return call.closed.has_value(); }));
  EXPECT_EQ(*call.closed, kRefused);
  server_.refuses = false;
  TestStream next;
  BeginAtServer(next);
}

TEST_F(ConnectionTest, WhatIsNotConsumedIsNotFollowedByMoreThanAWindow) {
  constexpr size_t kWindow = 100'000;
  constexpr size_t kBytes = 1'000'000;
  StartBoth({.stream_window = kWindow});
  server_.consumes = false;
  TestStream slow;
  TestStream& held = BeginAtServer(slow);
  server_.consumes = true;
  TestStream fast;
  TestStream& other = BeginAtServer(fast);
  Do([&] { slow.Write(std::string(kBytes, 's')); });
  ASSERT_TRUE(Until([&] { return held.data.size() == kWindow; }));
  // Another one of the same connection does not wait for it.
  Do([&] {
    fast.Write(std::string(kBytes, 'f'));
    fast.EndWriting();
  });
  ASSERT_TRUE(Until([&] { return other.ends == 1; }));
  EXPECT_EQ(other.data.size(), kBytes);
  EXPECT_EQ(held.data.size(), kWindow);
  EXPECT_EQ(slow.sent, kWindow);
  EXPECT_EQ(slow.unsent(), kBytes - kWindow);

  size_t consumed = 0;
  ASSERT_TRUE(Until([&] {
    Do([&] { held.Consume(held.data.size() - std::exchange(consumed, held.data.size())); });
    return held.data.size() == kBytes;
  }));
  EXPECT_EQ(slow.unsent(), 0U);
  EXPECT_EQ(slow.sent, kBytes);
}

TEST_F(ConnectionTest, AnswersAreHeldBackAsWell) {
  constexpr size_t kWindow = 70'000;
  StartBoth({}, {.stream_window = kWindow});
  TestStream call(/*consumes=*/false);
  TestStream& served = BeginAtServer(call, /*end=*/true);
  Do([&] {
    served.SendHeaders(Answer(), false);
    served.Write(std::string(3 * kWindow, 'a'));
    served.EndWithTrailers(Trailers());
  });
  ASSERT_TRUE(Until([&] { return call.data.size() == kWindow; }));
  EXPECT_EQ(served.unsent(), 2 * kWindow);
  Do([&] { call.Consume(kWindow); });
  ASSERT_TRUE(Until([&] { return call.data.size() == 2 * kWindow; }));
  Do([&] { call.Consume(kWindow); });
  ASSERT_TRUE(Until([&] { return call.closed.has_value(); }));
  EXPECT_EQ(call.data.size(), 3 * kWindow);
}

TEST_F(ConnectionTest, OneStreamTooManyWaitsForAnotherToEnd) {
  StartBoth({.streams_max = 2});
  ASSERT_TRUE(Until([&] { return client_.ready == 1; }));
  TestStream first;
  TestStream second;
  TestStream third;
  BeginAtServer(first);
  BeginAtServer(second);
  Begin(third, Request(), true);
  Do([&] { first.Write("x"); });
  ASSERT_TRUE(Until([&] { return server_.requests[0]->data == "x"; }));
  EXPECT_EQ(server_.requests.size(), 2U);
  Do([&] { first.Abandon(kCancel); });
  EXPECT_TRUE(Until([&] { return server_.requests.size() == 3; }));
  EXPECT_FALSE(third.closed.has_value());
}

TEST_F(ConnectionTest, InformationalAnswersAreLeftOut) {
  StartClient();
  TestStream call;
  Begin(call, Request(), true);
  ASSERT_TRUE(Until([&] { return client_.traffic->bytes_sent.value() > 0; }));
  Send(server_fd_,
       Frame(kSettings, 0, 0) + Frame(kHeaders, kEndHeaders, 1, HeaderBlock({{":status", "103"}})) +
           Frame(kHeaders, kEndHeaders | kEndStream, 1, HeaderBlock({{":status", "200"}})));
  ASSERT_TRUE(Until([&] { return call.closed.has_value(); }));
  ASSERT_EQ(call.blocks.size(), 1U);
  EXPECT_EQ(call.blocks[0].Find(":status"), "200");
}

TEST_F(ConnectionTest, WhatAClientSaysBehindItsRequestIsItsEnd) {
  StartServer();
  Send(client_fd_,
       kPreface + Frame(kSettings, 0, 0) + Frame(kHeaders, kEndHeaders, 1, RequestBlock()) +
           Frame(kHeaders, kEndHeaders | kEndStream, 1, HeaderBlock({{"trailer", "x"}})));
  ASSERT_TRUE(Until([&] { return !server_.requests.empty() && server_.requests[0]->ends == 1; }));
  EXPECT_EQ(server_.requests[0]->blocks.size(), 1U);
}

}  // namespace
}  // namespace rawgate::http2
