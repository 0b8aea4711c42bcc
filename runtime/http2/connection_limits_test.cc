// What a peer can do to a connection that it should not.
#include <chrono>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "runtime/http2/connection.h"
#include "runtime/http2/connection_testing.h"
#include "runtime/http2/frame_testing.h"

namespace rawgate::http2 {
namespace {

// A server, and a client that puts frames on the wire as it likes.
class ConnectionLimitsTest : public ConnectionTest {
 protected:
  void StartAndGreet(const Settings& settings = {}) {
    StartServer(settings);
    Send(client_fd_, kPreface + Frame(kSettings, 0, 0) + Frame(kSettings, kAck, 0));
  }
  // The server has seen all that was sent.
  bool ServerIsPast() {
    const uint64_t before = server_.traffic->bytes_sent.value();
    Send(client_fd_, Frame(kPing, 0, 0, std::string(8, 'p')));
    return Until([&] {
      Receive(client_fd_);
      return server_.traffic->bytes_sent.value() > before;
    });
  }
  std::string Requests(uint32_t first, int count) {
    std::string frames;
    for (int i = 0; i < count; ++i)
      frames += Frame(kHeaders, kEndHeaders, first + 2 * static_cast<uint32_t>(i), RequestBlock());
    return frames;
  }
  // With so many each second, in whichever moment of one it began.
  static size_t MostSince(Loop::SteadyTime begin, size_t most) {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begin);
    return most * (2 + static_cast<size_t>(seconds.count())) + 10;
  }
  static std::string Repeated(const std::string& frame, int count) {
    std::string frames;
    for (int i = 0; i < count; ++i) frames += frame;
    return frames;
  }
};

TEST_F(ConnectionLimitsTest, WhatIsNoHttp2EndsIt) {
  StartServer();
  Send(client_fd_, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(Until([&] { return server_.ended.has_value(); }));
  EXPECT_EQ(server_.ready, 0);
}

TEST_F(ConnectionLimitsTest, AHeaderBlockThatIsTooLargeIsThatOfOneCall) {
  StartBoth({.header_bytes_max = 1'000});
  TestStream large;
  HeaderList headers = Request();
  headers.Add("large", std::string(1'000, 'x'));
  Begin(large, headers, false);
  ASSERT_TRUE(Until([&] { return !server_.requests.empty() && server_.requests[0]->too_large; }));
  EXPECT_EQ(server_.requests[0]->too_large, 1);
  EXPECT_TRUE(server_.requests[0]->blocks.empty());
  // Its owner can answer.
  Do([&] { server_.requests[0]->SendHeaders(Answer(), true); });
  ASSERT_TRUE(Until([&] { return large.closed.has_value(); }));
  EXPECT_EQ(large.blocks.size(), 1U);
  TestStream next;
  BeginAtServer(next);
}

TEST_F(ConnectionLimitsTest, NamesValuesAndThirtyTwoForEachAreCounted) {
  // As many as those of Request(), and one more of 40.
  size_t size = 40;
  const HeaderList request = Request();
  for (size_t i = 0; i < request.size(); ++i)
    size += request[i].name.size() + request[i].value.size() + 32;
  StartBoth({.header_bytes_max = static_cast<uint32_t>(size)});
  for (const bool fits : {true, false}) {
    HeaderList headers = request;
    headers.Add("name", fits ? "1234" : "12345");
    TestStream call;
    Begin(call, headers, false);
    ASSERT_TRUE(Until([&] {
      return !server_.requests.empty() &&
             (server_.requests.back()->too_large == 1 || !server_.requests.back()->blocks.empty());
    }));
    EXPECT_EQ(server_.requests.back()->too_large, fits ? 0 : 1);
    Do([&] { call.Abandon(kCancel); });
    ASSERT_TRUE(Until([&] { return server_.requests.back()->closed.has_value(); }));
    server_.requests.clear();
  }
}

TEST_F(ConnectionLimitsTest, AnAnswersBlockMayBeTooLargeAsWell) {
  StartBoth({}, {.header_bytes_max = 1'000});
  TestStream call;
  TestStream& served = BeginAtServer(call, /*end=*/true);
  Do([&] {
    served.SendHeaders(Answer(), false);
    HeaderList trailers = Trailers();
    trailers.Add("large", std::string(1'000, 'x'));
    served.EndWithTrailers(trailers);
  });
  ASSERT_TRUE(Until([&] { return call.closed.has_value(); }));
  EXPECT_EQ(call.blocks.size(), 1U);
  EXPECT_EQ(call.too_large, 1);
}

TEST_F(ConnectionLimitsTest, AHeaderBlockWithoutEndEndsTheConnection) {
  StartBoth({.header_bytes_max = 1'000});
  TestStream call;
  HeaderList headers = Request();
  for (int i = 0; i < 20; ++i) headers.Add("large", std::string(1'000, 'x'));
  Begin(call, headers, false);
  ASSERT_TRUE(Until([&] { return server_.ended.has_value() && client_.ended.has_value(); }));
  EXPECT_EQ(*server_.ended, "a header block without end");
  EXPECT_EQ(call.closed, kConnectionLost);
}

TEST_F(ConnectionLimitsTest, SoDoFieldsThatHttpDoesNotHave) {
  StartAndGreet({.header_bytes_max = 1'000});
  std::string block = RequestBlock();
  for (int i = 0; i < 170; ++i) block += HeaderBlock({{"bad", std::string(100, '\x01')}});
  Send(client_fd_, Frame(kHeaders, 0, 1, block.substr(0, 16'000)) +
                       Frame(kContinuation, kEndHeaders, 1, block.substr(16'000)));
  ASSERT_TRUE(Until([&] { return server_.ended.has_value(); }));
  EXPECT_EQ(*server_.ended, "a header block without end");
}

TEST_F(ConnectionLimitsTest, FieldsThatHttpDoesNotHaveAreDropped) {
  StartAndGreet();
  Send(client_fd_, Frame(kHeaders, kEndHeaders, 1,
                         RequestBlock() + HeaderBlock({{"control", "a\x01z"},
                                                       {"nul", std::string("a\0z", 3)},
                                                       {"with space", "x"},
                                                       {"high", "\x80\xff"},
                                                       {"good", "x"}})));
  ASSERT_TRUE(
      Until([&] { return !server_.requests.empty() && !server_.requests[0]->blocks.empty(); }));
  const HeaderList& headers = server_.requests[0]->blocks[0];
  EXPECT_EQ(headers.size(), 6U);
  EXPECT_EQ(headers.Find("good"), "x");
  // Which HTTP has: it is for others to say what they think of it.
  EXPECT_EQ(headers.Find("high"), "\x80\xff");
}

TEST_F(ConnectionLimitsTest, EmptyContinuationsAreBounded) {
  StartAndGreet();
  Send(client_fd_,
       Frame(kHeaders, 0, 1, RequestBlock()) + Repeated(Frame(kContinuation, 0, 1), 1'000));
  EXPECT_TRUE(Until([&] { return server_.ended.has_value(); }));
}

TEST_F(ConnectionLimitsTest, FramesThatCarryNothingAreBoundedInEachSecond) {
  constexpr int kMost = 100;
  StartAndGreet({.idle_frames_per_second = kMost});
  Send(client_fd_, Frame(kHeaders, kEndHeaders, 1, RequestBlock()));
  ASSERT_TRUE(ServerIsPast());
  // Two settings and the ping have been counted.
  Send(client_fd_, Repeated(Frame(kData, 0, 1), kMost - 10));
  ASSERT_TRUE(ServerIsPast());
  EXPECT_FALSE(server_.ended.has_value());
  Send(client_fd_, Repeated(Frame(kData, 0, 1), 2 * kMost));
  ASSERT_TRUE(Until([&] { return server_.ended.has_value(); }));
  EXPECT_EQ(*server_.ended, "too many frames that carry nothing");
}

class IdleFrameTest : public ConnectionLimitsTest,
                      public ::testing::WithParamInterface<std::string> {};

TEST_P(IdleFrameTest, IsBounded) {
  StartAndGreet({.idle_frames_per_second = 100});
  Send(client_fd_, Frame(kHeaders, kEndHeaders, 1, RequestBlock()) + Repeated(GetParam(), 200));
  ASSERT_TRUE(Until([&] { return server_.ended.has_value(); }));
  EXPECT_EQ(*server_.ended, "too many frames that carry nothing");
}

INSTANTIATE_TEST_SUITE_P(Each, IdleFrameTest,
                         ::testing::Values(Frame(kPing, 0, 0, std::string(8, 'x')),
                                           Frame(kPing, kAck, 0, std::string(8, 'x')),
                                           Frame(kSettings, 0, 0),
                                           Frame(kPriority, 0, 1, std::string("\0\0\0\0\1", 5)),
                                           Frame(kData, 0, 1),
                                           Frame(200, 0, 0, "of a type that nobody knows"),
                                           Frame(kReset, 0, 99, Number(kCancel))));

TEST_F(ConnectionLimitsTest, OrdinaryFramesAreNotCounted) {
  StartAndGreet({.streams_max = 1'000, .resets_per_second = 1'000, .idle_frames_per_second = 10});
  std::string frames;
  for (uint32_t id = 1; id < 1'000; id += 2) {
    frames += Frame(kHeaders, kEndHeaders, id, RequestBlock()) + Frame(kData, 0, id, "x") +
              Frame(kWindowUpdate, 0, id, Number(1)) + Frame(kReset, 0, id, Number(kCancel));
  }
  Send(client_fd_, frames);
  ASSERT_TRUE(Until([&] { return server_.requests.size() == 500; }));
  ASSERT_TRUE(ServerIsPast());
  EXPECT_FALSE(server_.ended.has_value());
  for (const auto& request : server_.requests) EXPECT_EQ(request->closed, kCancel);
}

TEST_F(ConnectionLimitsTest, ResetsAreBoundedInEachSecond) {
  constexpr size_t kMost = 100;
  const auto begin = std::chrono::steady_clock::now();
  StartAndGreet({.resets_per_second = kMost});
  for (uint32_t id = 1; !server_.ended.has_value() && id < 1'000; id += 2) {
    const size_t before = server_.requests.size();
    Send(client_fd_,
         Frame(kHeaders, kEndHeaders, id, RequestBlock()) + Frame(kReset, 0, id, Number(kCancel)));
    ASSERT_TRUE(
        Until([&] { return server_.ended.has_value() || server_.requests.size() > before; }));
  }
  EXPECT_TRUE(server_.ended.has_value());
  EXPECT_GE(server_.requests.size(), kMost);
  EXPECT_LE(server_.requests.size(), MostSince(begin, kMost));
}

// As gRPC's C core does when a call is cancelled before its headers are written.
TEST_F(ConnectionLimitsTest, AResetOfAStreamThatNeverBeganIsNothing) {
  StartAndGreet();
  Send(client_fd_, Frame(kHeaders, kEndHeaders, 1, RequestBlock()) +
                       Frame(kReset, 0, 3, Number(kCancel)) +
                       Frame(kHeaders, kEndHeaders, 5, RequestBlock()));
  ASSERT_TRUE(Until([&] { return server_.requests.size() == 2; }));
  ASSERT_TRUE(ServerIsPast());
  EXPECT_FALSE(server_.ended.has_value());
  EXPECT_FALSE(server_.requests[0]->closed.has_value());
}

TEST_F(ConnectionLimitsTest, CallsBeforeTheSettingsAreAcknowledgedAreBounded) {
  StartServer({.streams_max = 10});
  Send(client_fd_, kPreface + Frame(kSettings, 0, 0) + Requests(1, 100));
  ASSERT_TRUE(ServerIsPast());
  EXPECT_EQ(server_.requests.size(), 10U);
  EXPECT_FALSE(server_.ended.has_value());
}

TEST_F(ConnectionLimitsTest, OneThatKnowsTheLimitAndGoesBeyondIsNotServed) {
  StartAndGreet({.streams_max = 10});
  ASSERT_TRUE(ServerIsPast());
  Send(client_fd_, Requests(1, 11));
  ASSERT_TRUE(Until([&] { return server_.ended.has_value(); }));
  EXPECT_EQ(server_.requests.size(), 10U);
}

TEST_F(ConnectionLimitsTest, MoreThanTheWindowEndsTheStream) {
  constexpr uint32_t kFlowControlError = 3;
  StartAndGreet({.stream_window = 70'000});
  server_.consumes = false;
  std::string frames = Frame(kHeaders, kEndHeaders, 1, RequestBlock());
  for (int i = 0; i < 5; ++i) frames += Frame(kData, 0, 1, std::string(16'000, 'x'));
  Send(client_fd_, frames);
  ASSERT_TRUE(Until([&] { return !server_.requests.empty() && server_.requests[0]->closed; }));
  EXPECT_EQ(server_.requests[0]->closed, kFlowControlError);
  ASSERT_TRUE(ServerIsPast());
  EXPECT_FALSE(server_.ended.has_value());
}

// Calls that are begun so that they have to be broken off are as good to him as his own resets.
TEST_F(ConnectionLimitsTest, ResetsThatThePeerBringsUsToSendAreBoundedAsWell) {
  constexpr size_t kMost = 100;
  const auto begin = std::chrono::steady_clock::now();
  StartAndGreet({.streams_max = 1'000, .resets_per_second = kMost});
  for (uint32_t id = 1; !server_.ended.has_value() && id < 1'000; id += 2) {
    const size_t before = server_.requests.size();
    // More of a window than there can be.
    Send(client_fd_, Frame(kHeaders, kEndHeaders, id, RequestBlock()) +
                         Frame(kWindowUpdate, 0, id, Number(0x7fffffff)));
    ASSERT_TRUE(
        Until([&] { return server_.ended.has_value() || server_.requests.size() > before; }));
  }
  ASSERT_TRUE(server_.ended.has_value());
  EXPECT_EQ(*server_.ended, "too many calls that had to be broken off");
  EXPECT_GE(server_.requests.size(), kMost);
  EXPECT_LE(server_.requests.size(), MostSince(begin, kMost));
}

TEST_F(ConnectionLimitsTest, OneThatTakesNothingIsStalledUntilItDoes) {
  constexpr int kSmallest = 1;
  ASSERT_EQ(::setsockopt(server_fd_.get(), SOL_SOCKET, SO_SNDBUF, &kSmallest, sizeof kSmallest), 0);
  StartAndGreet();
  EXPECT_EQ(server_.connection->stalled(), Loop::SteadyTime::duration::zero());
  const std::string pings = Repeated(Frame(kPing, 0, 0, std::string(8, 'p')), 900);
  const uint64_t until = server_.traffic->bytes_received.value() + pings.size();
  Send(client_fd_, pings);
  ASSERT_TRUE(Until([&] { return server_.traffic->bytes_received.value() >= until; }));
  ASSERT_TRUE(Until([&] {
    Do([] {});
    return server_.connection->stalled() > Loop::SteadyTime::duration::zero();
  }));
  ASSERT_TRUE(Until([&] {
    Receive(client_fd_);
    return server_.connection->stalled() == Loop::SteadyTime::duration::zero();
  }));
}

// A peer that takes no answers is not read from, and is again as soon as it has taken them, even
// when it sends nothing more.
TEST_F(ConnectionLimitsTest, APeerThatTakesItsAnswersLateGetsAllOfThem) {
  constexpr int kSmallest = 1;
  ASSERT_EQ(::setsockopt(server_fd_.get(), SOL_SOCKET, SO_SNDBUF, &kSmallest, sizeof kSmallest), 0);
  StartAndGreet();
  // Answers that the wire does not take, those that wait for it, and questions that wait for these.
  constexpr int kRounds = 3;
  constexpr int kPings = 600;
  const std::string pings = Repeated(Frame(kPing, 0, 0, std::string(8, 'p')), kPings);
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t until =
        server_.traffic->bytes_received.value() + (round < kRounds - 1 ? pings.size() : 0);
    Send(client_fd_, pings);
    ASSERT_TRUE(Until([&] { return server_.traffic->bytes_received.value() >= until; }));
  }
  // The server has been told of the last ones.
  for (int i = 0; i < 10; ++i) loop_.context().poll();
  std::string answers;
  ASSERT_TRUE(Until([&] {
    answers += Receive(client_fd_);
    return answers.size() >= size_t{kRounds} * kPings * 17;
  }));
}

}  // namespace
}  // namespace rawgate::http2
