#include "services/echo/echo_chargen_session.h"

#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <future>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/testing/raw_client.h"
#include "services/echo/echo_listeners_testing.h"
#include "services/echo/echo_session.h"

namespace rawgate::echo {
namespace {

using observe::CloseReason;
using ::rawgate::testing::Eventually;
using ::rawgate::testing::RawClient;

std::string Pattern(size_t size) {
  std::string pattern;
  while (pattern.size() < size) pattern += std::string(ChargenFrom(pattern.size()));
  pattern.resize(size);
  return pattern;
}

class ChargenSessionTest : public ::testing::Test {
 protected:
  net::StreamListener& Serve(uint64_t rate, const net::StreamOptions& options = {}) {
    session_.emplace(ByteRate{rate});
    listeners_.emplace();
    return listeners_->Serve(*session_, options);
  }
  bool EventuallyClosed(net::StreamListener& listener, CloseReason reason, uint64_t count = 1) {
    return Eventually(
        [&] { return listener.counters().closed[static_cast<size_t>(reason)].value() == count; });
  }

  EchoStreamSession echo_{Transform::kUpper};
  std::optional<ChargenSession> session_;
  std::optional<EchoListeners> listeners_;
};

TEST_F(ChargenSessionTest, SendsThePatternWithoutBeingAsked) {
  net::StreamListener& listener = Serve(8 << 20);
  RawClient client(listener.bound_uri());
  constexpr size_t kSize = 3 << 20;
  EXPECT_TRUE(client.ReadExactly(kSize) == Pattern(kSize)) << "something else than the pattern";
}

TEST_F(ChargenSessionTest, SendsNoFasterThanItsRate) {
  constexpr uint64_t kRate = 200'000;
  net::StreamListener& listener = Serve(kRate);
  const auto before = std::chrono::steady_clock::now();
  RawClient client(listener.bound_uri());
  constexpr size_t kSize = 60'000;
  EXPECT_EQ(client.ReadExactly(kSize), Pattern(kSize));
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - before;
  // Two intervals of 20 ms may come at once.
  EXPECT_LE(kSize, kRate * (passed.count() + 0.04));
}

TEST_F(ChargenSessionTest, DiscardsWhatTheClientSends) {
  net::StreamListener& listener = Serve(1'000);
  RawClient client(listener.bound_uri());
  // More than the buffers of a connection hold: it has to be read, though the client reads nothing.
  constexpr size_t kSize = 16 << 20;
  ASSERT_TRUE(client.Send(std::string(kSize, 'x')));
  EXPECT_TRUE(Eventually([&] { return listener.counters().bytes_received.value() == kSize; }));
  EXPECT_EQ(client.ReadExactly(300), Pattern(300));
}

TEST_F(ChargenSessionTest, EndsWhenTheClientEndsItsDirection) {
  net::StreamListener& listener = Serve(100'000);
  RawClient client(listener.bound_uri());
  EXPECT_EQ(client.ReadExactly(10), Pattern(10));
  client.HalfClose();
  const std::string rest = client.ReadToEnd();
  EXPECT_EQ(Pattern(10) + rest, Pattern(10 + rest.size()));
  EXPECT_TRUE(EventuallyClosed(listener, CloseReason::kPeerClosed));
  EXPECT_EQ(listener.counters().requests.value(), 1);
  EXPECT_EQ(listener.counters().bytes_sent.value(), 10 + rest.size());
}

TEST_F(ChargenSessionTest, AClientThatResetsIsNoticed) {
  net::StreamListener& listener = Serve(100'000);
  RawClient client(listener.bound_uri());
  EXPECT_EQ(client.ReadExactly(10), Pattern(10));
  client.Reset();
  EXPECT_TRUE(EventuallyClosed(listener, CloseReason::kReset));
}

TEST_F(ChargenSessionTest, AClientThatDoesNotReadIsClosedAsStalled) {
  net::StreamListener& listener =
      Serve(ByteRate::kMax, {.stall_timeout = std::chrono::milliseconds(300)});
  RawClient client(listener.bound_uri());
  EXPECT_TRUE(EventuallyClosed(listener, CloseReason::kStalled));
  EXPECT_EQ(listener.counters().requests.value(), 1);
}

TEST_F(ChargenSessionTest, ASlowPaceIsNoStall) {
  net::StreamListener& listener = Serve(20, {.idle_timeout = std::chrono::milliseconds(20),
                                             .header_timeout = std::chrono::milliseconds(20),
                                             .stall_timeout = std::chrono::milliseconds(20)});
  RawClient client(listener.bound_uri());
  EXPECT_EQ(client.ReadExactly(12), Pattern(12));
}

TEST_F(ChargenSessionTest, StopEndsItAtOnce) {
  net::StreamListener& listener = Serve(100'000);
  std::list<RawClient> clients;
  for (int i = 0; i < 10; ++i) {
    RawClient& client = clients.emplace_back(listener.bound_uri());
    EXPECT_EQ(client.ReadExactly(10), Pattern(10));
  }
  auto drained = std::make_shared<std::promise<void>>();
  listeners_->thread().Run([&] {
    listener.Stop([drained] { drained->set_value(); });
    return true;
  });
  // Without CloseAll(): no grace has to pass.
  ASSERT_EQ(drained->get_future().wait_for(rawgate::testing::kPatience), std::future_status::ready);
  EXPECT_EQ(listener.counters().closed[static_cast<size_t>(CloseReason::kStopped)].value(), 10);
  for (RawClient& client : clients) {
    const std::string rest = client.ReadToEnd();
    EXPECT_EQ(Pattern(10) + rest, Pattern(10 + rest.size()));
  }
}

TEST_F(ChargenSessionTest, AnOperatorEndsIt) {
  net::StreamListener& listener = Serve(100'000);
  RawClient client(listener.bound_uri());
  EXPECT_EQ(client.ReadExactly(10), Pattern(10));
  EXPECT_TRUE(listeners_->thread().Run([&] {
    std::vector<net::ConnectionInfo> rows;
    listener.List(0, 10, &rows);
    return rows.size() == 1 && listener.CloseConnection(rows[0].id);
  }));
  EXPECT_TRUE(EventuallyClosed(listener, CloseReason::kOperator));
}

TEST_F(ChargenSessionTest, ManyOfThemDoNotStarveOthersOfTheLoop) {
  net::StreamListener& listener = Serve(ByteRate::kMax);
  net::StreamListener& echo = listeners_->Serve(echo_);
  std::list<RawClient> clients;
  for (int i = 0; i < 64; ++i) clients.emplace_back(listener.bound_uri());
  std::atomic<bool> finished{false};
  // All of them read what they are sent as fast as it comes.
  std::thread reader([&] {
    std::string buffer(1 << 20, '\0');
    while (!finished) {
      for (const RawClient& client : clients) {
        while (::recv(client.fd(), buffer.data(), buffer.size(), MSG_DONTWAIT) > 0) continue;
      }
    }
  });
  RawClient visitor(echo.bound_uri());
  const uint64_t before = listener.counters().bytes_sent.value();
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(visitor.Send("hello"));
    EXPECT_EQ(visitor.ReadExactly(5), "HELLO");
  }
  // Meanwhile, or after it, they are served too.
  EXPECT_TRUE(Eventually([&] { return listener.counters().bytes_sent.value() > before; }));
  finished = true;
  reader.join();
}

TEST(ChargenOverDatagramsTest, SaysWhyItIsRefused) {
  EXPECT_EQ(ChargenOverDatagrams().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(ChargenOverDatagrams().message().find("victim"), absl::string_view::npos);
}

}  // namespace
}  // namespace rawgate::echo
