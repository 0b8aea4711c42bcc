// What one peer of a tls:// address may take, and what others then still get.
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "runtime/net/tls_listener_testing.h"

namespace rawgate::net {
namespace {

TEST_F(TlsListenerTest, KeysMayBeUpdatedButNotInAFlood) {
  Listen(echo_);
  TlsClient client(Uri(), Trusting());
  ASSERT_TRUE(client.ok()) << client.error();
  const auto update = [&] {
    return SSL_key_update(client.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1 &&
           SSL_do_handshake(client.ssl()) == 1;
  };
  // What follows an update at once is read with it.
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(update() && update() && client.Send("x"));
    ASSERT_EQ(client.ReadExactly(1), "x");
  }
  ASSERT_EQ(SSL_key_update(client.ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
  ASSERT_TRUE(client.Send("y"));
  EXPECT_EQ(client.ReadExactly(1), "y");
  // Only the last one fails to be taken when the connection has ended before.
  for (int i = 0; i < 1'000 && update(); ++i) {
  }
  EXPECT_TRUE(Closes(CloseReason::kProtocolError));
}

TEST_F(TlsListenerTest, AReaderWhoStopsHoldsUpOnlyHimself) {
  Listen(flood_, {.stall_timeout = std::chrono::milliseconds(300)});
  TlsClient deaf(Uri(), Trusting());
  ASSERT_TRUE(deaf.Send("x"));
  TlsClient good(Uri(), Trusting());
  ASSERT_TRUE(good.Send("x"));
  EXPECT_EQ(good.ReadExactly(kBig).size(), kBig);
  EXPECT_TRUE(Closes(CloseReason::kStalled));
}

TEST_F(TlsListenerTest, AHandshakeHasADeadline) {
  Listen(echo_, {.header_timeout = std::chrono::milliseconds(200)});
  RawClient silent = Plain();
  EXPECT_EQ(silent.ReadToEnd(), "");
  EXPECT_TRUE(Closes(CloseReason::kHeaderDeadline));
}

TEST_F(TlsListenerTest, TheSilentKeepNobodyOut) {
  constexpr size_t kMost = 8;
  Listen(echo_, {.tls_handshakes_max = kMost});
  std::vector<RawClient> silent;
  for (size_t i = 0; i < 3 * kMost; ++i) {
    silent.push_back(Plain());
    ASSERT_TRUE(silent.back().connected());
  }
  EXPECT_TRUE(Closes(CloseReason::kLimit, 2 * kMost));
  // The oldest ones have gone.
  EXPECT_EQ(silent.front().ReadToEnd(), "");
  TlsClient client(Uri(), Trusting());
  ASSERT_TRUE(client.ok()) << client.error();
  ASSERT_TRUE(client.Send("in"));
  EXPECT_EQ(client.ReadExactly(2), "in");
}

TEST_F(TlsListenerTest, SurvivesWantOfDescriptors) {
  Listen(echo_);
  TlsClient before(Uri(), Trusting());
  ASSERT_TRUE(Eventually([&] { return Open() == 1; }));
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  // The client's own descriptor takes the last number that the limit allows.
  const int next = ::dup(0);
  ::close(next);
  rlimit tight = limit;
  tight.rlim_cur = static_cast<rlim_t>(next) + 1;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  RawClient starved = Plain();
  EXPECT_TRUE(starved.connected());
  EXPECT_TRUE(before.Send("b"));
  EXPECT_EQ(before.ReadExactly(1), "b");
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  TlsClient fed(std::move(starved), Trusting());
  ASSERT_TRUE(fed.ok()) << fed.error();
  ASSERT_TRUE(fed.Send("s"));
  EXPECT_EQ(fed.ReadExactly(1), "s");
}

TEST_F(TlsListenerTest, AFullListenerRecovers) {
  Listen(echo_, {.connections_max = 1});
  auto first = std::make_unique<TlsClient>(Uri(), Trusting());
  ASSERT_TRUE(first->ok());
  RawClient second = Plain();  // waits in the backlog
  ASSERT_TRUE(Eventually([&] { return Open() == 1; }));
  first.reset();
  TlsClient served(std::move(second), Trusting());
  ASSERT_TRUE(served.ok()) << served.error();
  ASSERT_TRUE(served.Send("2"));
  EXPECT_EQ(served.ReadExactly(1), "2");
}

}  // namespace
}  // namespace rawgate::net
