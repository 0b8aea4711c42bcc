#include "runtime/net/stream_listener.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "runtime/base/status.h"
#include "runtime/testing/loop_thread.h"
#include "runtime/testing/raw_client.h"

namespace rawgate::net {
namespace {

using ::rawgate::testing::Eventually;
using ::rawgate::testing::LoopThread;
using ::rawgate::testing::RawClient;

// More than the buffers of a loopback connection hold.
constexpr size_t kBig = 32 << 20;

// Answers each line with the same line, but for some: see ServeLine().
class LineEcho final : public StreamHandler {
 public:
  explicit LineEcho(asio::io_context& loop) : gate_(loop, SteadyTime::max()) {}

  absl::Status Admit(Connection&) override {
    return refuse_ ? Error(absl::StatusCode::kPermissionDenied, "NO", "not you") : absl::OkStatus();
  }

  asio::awaitable<Next> Serve(Connection& connection) override {
    ++serving_;
    std::string line;
    const Next next = co_await ServeLine(connection, &line);
    --serving_;
    co_return next;
  }

  void Release() { gate_.cancel(); }

  std::atomic<int> serving_{0};
  std::atomic<int> gone_{0};
  std::atomic<bool> refuse_{false};

 private:
  asio::awaitable<Next> ServeLine(Connection& connection, std::string* line) {
    while (line->empty() || line->back() != '\n') {
      char byte;
      const ReadResult read = co_await connection.Read(std::span(&byte, 1));
      if (read.kind != ReadResult::Kind::kData) co_return Next::kClose;
      line->push_back(byte);
    }
    connection.SetWait(Wait::kNone);
    if (*line == "slow\n") {
      const Connection::PeerWatch watch(connection, [this] {
        ++gone_;
        gate_.cancel();
      });
      try {
        co_await gate_.async_wait(asio::use_awaitable);
      } catch (const boost::system::system_error&) {  // Release()
      }
    }
    if (*line == "big\n") line->assign(kBig, 'B');
    if (*line == "throw\n") throw std::runtime_error("a bug");
    if (*line == "bad\n") {
      co_await connection.Write("error\n");
      co_await connection.CloseGently(CloseReason::kProtocolError, "bad line");
      co_return Next::kClose;
    }
    co_return co_await connection.Write(*line) ? Next::kPark : Next::kClose;
  }

  asio::steady_timer gate_;
};

class StreamListenerTest : public ::testing::Test {
 protected:
  void Listen(const StreamOptions& options = {}, absl::string_view uri = "tcp://127.0.0.1:0") {
    handler_ = std::make_unique<LineEcho>(thread_.loop());
    listener_ = std::make_unique<StreamListener>(thread_.loop(), "test", *Endpoint::Parse(uri),
                                                 options, *handler_, events_);
    ASSERT_TRUE(thread_.Run([&] { return listener_->Start(); }).ok());
  }

  void TearDown() override {
    Stop();
    listener_->CloseAll();
    EXPECT_TRUE(Eventually([&] { return Open() == 0; }));
    thread_.Stop();
  }

  void Stop() {
    thread_.Run([&] { listener_->Stop([this] { drained_ = true; }); });
  }
  std::string Uri() {
    return thread_.Run([&] { return listener_->bound_uri(); });
  }
  uint64_t Open() { return listener_->counters().connections_open.value(); }
  uint64_t Closed(CloseReason reason) {
    return listener_->counters().closed[static_cast<size_t>(reason)].value();
  }

  LoopThread thread_;
  observe::EventLog events_;
  std::unique_ptr<LineEcho> handler_;
  std::unique_ptr<StreamListener> listener_;
  std::atomic<bool> drained_{false};
};

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

TEST_F(StreamListenerTest, HeaderDeadlineIsAbsolute) {
  Listen({.header_timeout = std::chrono::milliseconds(300)});
  RawClient client(Uri());
  // A byte now and then does not extend it: this ends although bytes keep coming.
  while (client.Send("x") && Closed(CloseReason::kHeaderDeadline) == 0)
    absl::SleepFor(absl::Milliseconds(5));
  EXPECT_TRUE(Eventually([&] { return Closed(CloseReason::kHeaderDeadline) == 1; }));
}

TEST_F(StreamListenerTest, IdleAndStalledConnectionsEnd) {
  Listen({.idle_timeout = std::chrono::milliseconds(200),
          .stall_timeout = std::chrono::milliseconds(200)});
  RawClient idle(Uri());
  EXPECT_EQ(idle.ReadToEnd(), "");
  EXPECT_EQ(Closed(CloseReason::kIdle), 1);

  RawClient deaf(Uri());
  ASSERT_TRUE(deaf.Send("big\n"));
  EXPECT_TRUE(Eventually([&] { return Closed(CloseReason::kStalled) == 1; }));
}

TEST_F(StreamListenerTest, WritesMoreThanASocketHolds) {
  Listen();
  RawClient client(Uri());
  ASSERT_TRUE(client.Send("big\n"));
  const std::string answer = client.ReadExactly(kBig);
  EXPECT_EQ(answer.size(), kBig);
  EXPECT_EQ(answer.find_first_not_of('B'), std::string::npos);
}

TEST_F(StreamListenerTest, AFullListenerRecovers) {
  Listen({.connections_max = 2});
  RawClient first(Uri());
  RawClient second(Uri());
  ASSERT_TRUE(second.Send("2\n"));
  EXPECT_EQ(second.ReadExactly(2), "2\n");
  RawClient third(Uri());  // waits in the backlog
  ASSERT_TRUE(third.Send("3\n"));
  EXPECT_EQ(Open(), 2);
  first.Close();
  EXPECT_EQ(third.ReadExactly(2), "3\n");
}

TEST_F(StreamListenerTest, SurvivesWantOfDescriptors) {
  Listen();
  const std::string uri = Uri();
  RawClient before(uri);
  RawClient waiting(uri);  // its own descriptor must exist before the limit falls
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_TRUE(Eventually([&] { return Open() == 2; }));

  // The next client descriptor takes the last number that the limit allows: accept(2) finds none.
  const int next = ::dup(0);
  ::close(next);
  rlimit tight = limit;
  tight.rlim_cur = static_cast<rlim_t>(next) + 1;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  RawClient starved(uri);
  ASSERT_TRUE(starved.connected());
  ASSERT_TRUE(starved.Send("s\n"));
  ASSERT_TRUE(before.Send("b\n"));
  EXPECT_EQ(before.ReadExactly(2), "b\n");
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(starved.ReadExactly(2), "s\n");
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
