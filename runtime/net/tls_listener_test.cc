// Stream listeners of tls:// addresses: what is different when a TLS connection carries the stream.
#include <sys/resource.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "runtime/net/stream_listener.h"
#include "runtime/net/tls_context.h"
#include "runtime/testing/loop_thread.h"
#include "runtime/testing/raw_client.h"
#include "runtime/testing/test_certificates.h"
#include "runtime/testing/tls_client.h"

namespace rawgate::net {
namespace {

using ::rawgate::testing::Eventually;
using ::rawgate::testing::LoopThread;
using ::rawgate::testing::RawClient;
using ::rawgate::testing::TestAuthority;
using ::rawgate::testing::TestFolder;
using ::rawgate::testing::TestIdentity;
using ::rawgate::testing::TlsClient;

constexpr size_t kBig = 16 << 20;

// Echoes until the peer ends its stream, then says "bye" and closes. Parks in between.
class Echo final : public StreamHandler {
 public:
  asio::awaitable<Next> Serve(Connection& connection) override {
    peer_ = connection.PeerName();
    connection.SetWait(Wait::kStall);
    std::string buffer(100'000, '\0');
    const ReadResult read = co_await connection.Read(buffer);
    if (read.kind == ReadResult::Kind::kData) {
      co_return co_await connection.Write(absl::string_view(buffer).substr(0, read.size))
          ? Next::kPark
          : Next::kClose;
    }
    if (read.kind == ReadResult::Kind::kEnd) co_await connection.Write("bye");
    co_return Next::kClose;
  }
  std::string peer_;
};

// Sends kBig bytes to whoever sends a byte, and ends its direction; then counts what comes.
class Flood final : public StreamHandler {
 public:
  asio::awaitable<Next> Serve(Connection& connection) override {
    char byte;
    static_cast<void>(co_await connection.Read(std::span(&byte, 1)));
    if (!co_await connection.Write(std::string(kBig, 'F'))) co_return Next::kClose;
    ::shutdown(connection.native_handle(), SHUT_WR);
    std::string buffer(100'000, '\0');
    connection.SetWait(Wait::kStall);
    for (;;) {
      const ReadResult read = co_await connection.Read(buffer);
      if (read.kind != ReadResult::Kind::kData) break;
      received_ += read.size;
    }
    co_return Next::kClose;
  }
  std::atomic<size_t> received_{0};
};

// Takes everything until the end as one request.
class Gather final : public StreamHandler {
 public:
  asio::awaitable<Next> Serve(Connection& connection) override {
    char byte;
    for (;;) {
      const ReadResult read = co_await connection.Read(std::span(&byte, 1));
      if (read.kind == ReadResult::Kind::kEnd) ++whole_;
      if (read.kind != ReadResult::Kind::kData) co_return Next::kClose;
      ++bytes_;
    }
  }
  std::atomic<int> bytes_{0};
  std::atomic<int> whole_{0};
};

class TlsListenerTest : public ::testing::Test {
 protected:
  void Listen(StreamHandler& handler, StreamOptions options = {},
              ClientCertificates asked = ClientCertificates::kNone) {
    auto context = TlsContext::Load({.certificate = folder_.Write("cert.pem", own_.certificate),
                                     .key = folder_.Write("key.pem", own_.key),
                                     .client_ca = folder_.Write("ca.pem", authority_.certificate()),
                                     .client_certificates = asked});
    ASSERT_TRUE(context.ok()) << context.status();
    options.tls = *std::move(context);
    listener_ = std::make_unique<StreamListener>(
        thread_.loop(), "test", *Endpoint::Parse("tls://127.0.0.1:0"), options, handler, events_);
    ASSERT_TRUE(thread_.Run([&] { return listener_->Start(); }).ok());
  }
  void TearDown() override {
    Stop();
    thread_.Run([&] { listener_->CloseAll(); });
    EXPECT_TRUE(Eventually([&] { return drained_.load(); }));
    EXPECT_EQ(Open(), 0);
    thread_.Stop();
  }

  void Stop() {
    thread_.Run([&] { listener_->Stop([this] { drained_ = true; }); });
  }
  std::string Uri() {
    return thread_.Run([&] { return listener_->bound_uri(); });
  }
  TlsClient::Options Trusting() { return {.ca = authority_.certificate()}; }
  // A client that speaks no TLS yet.
  RawClient Plain() { return RawClient(absl::StrReplaceAll(Uri(), {{"tls://", "tcp://"}})); }
  uint64_t Open() { return listener_->counters().connections_open.value(); }
  bool Closes(CloseReason reason, uint64_t count = 1) {
    return Eventually(
        [&] { return listener_->counters().closed[static_cast<size_t>(reason)].value() >= count; });
  }

  TestAuthority authority_;
  const TestIdentity own_ = authority_.IssueForLoopback();
  TestFolder folder_;
  LoopThread thread_;
  observe::EventLog events_;
  Echo echo_;
  Flood flood_;
  std::unique_ptr<StreamListener> listener_;
  std::atomic<bool> drained_{false};
};

TEST_F(TlsListenerTest, CarriesTheStreamBothWaysAndEndsIt) {
  Listen(echo_);
  TlsClient client(Uri(), Trusting());
  ASSERT_TRUE(client.ok()) << client.error();
  ASSERT_TRUE(client.Send("hello"));
  EXPECT_EQ(client.ReadExactly(5), "hello");
  std::vector<ConnectionInfo> rows;
  thread_.Run([&] { listener_->List(0, 10, &rows); });
  ASSERT_EQ(rows.size(), 1);
  EXPECT_EQ(rows[0].transport, Transport::kTls);
  EXPECT_EQ(rows[0].peer, echo_.peer_);
  EXPECT_EQ(rows[0].peer.rfind("tls://127.0.0.1:", 0), 0) << rows[0].peer;
  EXPECT_EQ(rows[0].bytes_received, 5);

  // Our close_notify ends one direction; the other one goes on.
  client.HalfClose();
  EXPECT_EQ(client.ReadToEnd(), "bye");
  EXPECT_TRUE(client.ended_well());
  EXPECT_TRUE(Closes(CloseReason::kPeerClosed));
}

TEST_F(TlsListenerTest, OurEndLeavesTheirDirectionOpen) {
  Listen(flood_);
  TlsClient client(Uri(), Trusting());
  ASSERT_TRUE(client.Send("x"));
  EXPECT_EQ(client.ReadToEnd().size(), kBig);
  EXPECT_TRUE(client.ended_well());
  ASSERT_TRUE(client.Send(std::string(1'000'000, 'c')));
  EXPECT_TRUE(Eventually([&] { return flood_.received_ == 1'000'000; }));
  client.HalfClose();
  EXPECT_TRUE(Closes(CloseReason::kPeerClosed));
}

TEST_F(TlsListenerTest, MovesMuchBothWaysAtOnce) {
  Listen(echo_);
  TlsClient client(Uri(), Trusting());
  std::string sent(kBig, '\0');
  for (size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 2'654'435'761u >> 24);
  size_t right = 0;
  // One SSL object is one thread's; non-blocking, it can do both.
  ::timeval brief{0, 10'000};
  ::setsockopt(client.raw().fd(), SOL_SOCKET, SO_SNDTIMEO, &brief, sizeof(brief));
  SSL_set_mode(client.ssl(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  std::string buffer(100'000, '\0');
  for (size_t out = 0; right < sent.size();) {
    size_t n = 0;
    while (out < sent.size() &&
           SSL_write_ex(client.ssl(), sent.data() + out, sent.size() - out, &n) == 1) {
      out += n;
      if (out - right > (8 << 20)) break;
    }
    if (SSL_read_ex(client.ssl(), buffer.data(), buffer.size(), &n) != 1) break;
    ASSERT_EQ(sent.compare(right, n, buffer, 0, n), 0) << "after " << right;
    right += n;
  }
  EXPECT_EQ(right, sent.size());
}

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

TEST_F(TlsListenerTest, RecordsMayComeByteForByte) {
  Listen(echo_);
  // What the client writes goes through here, a byte at a time.
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const Fd near(ends[0]), far(ends[1]);
  RawClient upstream = Plain();
  std::thread there([&] {
    char byte;
    while (::recv(far.get(), &byte, 1, 0) == 1) {
      if (!upstream.Send(absl::string_view(&byte, 1))) break;
    }
    upstream.HalfClose();
  });
  std::thread back([&] {
    while (const auto some = upstream.ReadSome()) {
      ::send(far.get(), some->data(), some->size(), MSG_NOSIGNAL);
    }
    ::shutdown(far.get(), SHUT_WR);
  });
  {
    TlsClient client(RawClient(Fd(::dup(near.get()))), Trusting());
    ASSERT_TRUE(client.ok()) << client.error();
    ASSERT_TRUE(client.Send("slow but sure"));
    EXPECT_EQ(client.ReadExactly(13), "slow but sure");
    client.HalfClose();
    EXPECT_EQ(client.ReadToEnd(), "bye");
  }
  ::shutdown(near.get(), SHUT_RDWR);
  there.join();
  back.join();
}

TEST_F(TlsListenerTest, WhatIsNoTlsIsClosedAndCounted) {
  Listen(echo_);
  RawClient plain = Plain();
  ASSERT_TRUE(plain.Send("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_EQ(plain.ReadToEnd(), "");
  EXPECT_TRUE(Closes(CloseReason::kProtocolError));
  RawClient random = Plain();
  ASSERT_TRUE(random.Send(std::string(100'000, '\xff')));
  random.HalfClose();
  EXPECT_EQ(random.ReadToEnd(), "");
  EXPECT_TRUE(Closes(CloseReason::kProtocolError, 2));
  // A record, of which the content makes no sense, is answered by an alert.
  RawClient almost = Plain();
  ASSERT_TRUE(almost.Send(absl::string_view("\x16\x03\x01\x00\x04\xff\xff\xff\xff", 9)));
  const std::string answer = almost.ReadToEnd();
  ASSERT_FALSE(answer.empty());
  EXPECT_EQ(answer[0], '\x15');
  EXPECT_TRUE(Closes(CloseReason::kProtocolError, 3));
  // A scan of ports.
  Plain().HalfClose();
  EXPECT_TRUE(Closes(CloseReason::kPeerClosed));
  EXPECT_EQ(listener_->counters().connections_opened.value(), 4);
  EXPECT_EQ(Open(), 0);
}

TEST_F(TlsListenerTest, WhoHasNoCertificateIsRefused) {
  Listen(echo_, {}, ClientCertificates::kRequire);
  TlsClient nobody(Uri(), {.ca = authority_.certificate(), .own = {}, .version = TLS1_2_VERSION});
  EXPECT_FALSE(nobody.ok());
  EXPECT_TRUE(Closes(CloseReason::kRefused));
  TestAuthority strangers("strangers");
  TlsClient stranger(Uri(), {.ca = authority_.certificate(), .own = strangers.Issue("s", {})});
  EXPECT_EQ(stranger.ReadExactly(1), "");
  EXPECT_TRUE(Closes(CloseReason::kRefused, 2));
  TlsClient known(Uri(), {.ca = authority_.certificate(), .own = authority_.Issue("k", {})});
  ASSERT_TRUE(known.Send("me"));
  EXPECT_EQ(known.ReadExactly(2), "me");
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

TEST_F(TlsListenerTest, AResetIsPassedOn) {
  Listen(flood_);
  TlsClient client(Uri(), Trusting());
  ASSERT_TRUE(client.Send("x"));
  EXPECT_EQ(client.ReadExactly(10), "FFFFFFFFFF");
  client.raw().Reset();
  EXPECT_TRUE(Closes(CloseReason::kReset));
}

TEST_F(TlsListenerTest, AStreamThatIsCutOffIsNoEndOfARequest) {
  Gather gather;
  Listen(gather);
  TlsClient whole(Uri(), Trusting());
  ASSERT_TRUE(whole.Send("part"));
  whole.HalfClose();
  EXPECT_TRUE(Closes(CloseReason::kPeerClosed));
  EXPECT_EQ(gather.whole_, 1);

  TlsClient cut(Uri(), Trusting());
  ASSERT_TRUE(cut.Send("part"));
  cut.raw().HalfClose();
  EXPECT_TRUE(Closes(CloseReason::kReset));
  EXPECT_EQ(gather.bytes_, 8);
  EXPECT_EQ(gather.whole_, 1);
}

TEST_F(TlsListenerTest, AStreamThatIsCutOffBetweenRequestsHasEnded) {
  Listen(echo_);
  TlsClient client(Uri(), Trusting());
  ASSERT_TRUE(client.Send("done"));
  EXPECT_EQ(client.ReadExactly(4), "done");
  client.raw().Close();
  EXPECT_TRUE(Closes(CloseReason::kPeerClosed));
}

TEST_F(TlsListenerTest, StopEndsTheParkedWithACloseNotify) {
  Listen(echo_);
  TlsClient parked(Uri(), Trusting());
  ASSERT_TRUE(parked.Send("p"));
  EXPECT_EQ(parked.ReadExactly(1), "p");
  RawClient shaking = Plain();
  ASSERT_TRUE(shaking.Send("\x16"));
  Stop();
  EXPECT_EQ(parked.ReadToEnd(), "");
  EXPECT_TRUE(parked.ended_well());
  EXPECT_TRUE(Eventually([&] { return drained_.load(); }));
  EXPECT_EQ(shaking.ReadToEnd(), "");
  drained_ = false;
  ASSERT_TRUE(thread_.Run([&] { return listener_->Start(); }).ok());
  TlsClient again(Uri(), Trusting());
  EXPECT_TRUE(again.ok()) << again.error();
}

TEST_F(TlsListenerTest, CloseAllWaitsForNobody) {
  Listen(flood_);
  TlsClient deaf(Uri(), Trusting());
  ASSERT_TRUE(deaf.Send("x"));
  // Being served by now: open only, it might still be parked, and a stop ends those.
  EXPECT_EQ(deaf.ReadExactly(1), "F");
  Stop();
  EXPECT_FALSE(drained_);
  thread_.Run([&] { listener_->CloseAll(); });
  EXPECT_TRUE(Eventually([&] { return drained_.load(); }));
  EXPECT_TRUE(Closes(CloseReason::kStopped));
}

TEST_F(TlsListenerTest, AnOperatorCanCloseAConnection) {
  Listen(echo_);
  TlsClient client(Uri(), Trusting());
  ASSERT_TRUE(Eventually([&] { return Open() == 1; }));
  std::vector<ConnectionInfo> rows;
  thread_.Run([&] { listener_->List(0, 10, &rows); });
  ASSERT_EQ(rows.size(), 1);
  EXPECT_TRUE(thread_.Run([&] { return listener_->CloseConnection(rows[0].id); }));
  EXPECT_EQ(client.ReadToEnd(), "");
  EXPECT_TRUE(Closes(CloseReason::kOperator));
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
