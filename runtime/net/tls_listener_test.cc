// Stream listeners of tls:// addresses: what is different when a TLS connection carries the stream.
#include <sys/socket.h>

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "runtime/net/tls_listener_testing.h"

namespace rawgate::net {
namespace {

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

TEST_F(TlsListenerTest, WhoShowsTheCertificateOfAServiceIsRefused) {
  Listen(echo_, {}, ClientCertificates::kRequest);
  TlsClient service(Uri(), {.ca = authority_.certificate(),
                            .own = authority_.Issue("s", {"URI:urn:rawgate:service:exec"})});
  EXPECT_EQ(service.ReadExactly(1), "");
  EXPECT_TRUE(Closes(CloseReason::kRefused));
  TlsClient user(Uri(), {.ca = authority_.certificate(),
                         .own = authority_.Issue("u", {"URI:urn:rawgate:client:service"})});
  ASSERT_TRUE(user.Send("me"));
  EXPECT_EQ(user.ReadExactly(2), "me");
}

TEST_F(TlsListenerTest, AResetIsPassedOn) {
  Listen(flood_);
  TlsClient client(Uri(), Trusting());
  ASSERT_TRUE(client.Send("x"));
  EXPECT_EQ(client.ReadExactly(10), "FFFFFFFFFF");
  client.raw().Reset();
  EXPECT_TRUE(Closes(CloseReason::kReset));
}

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

}  // namespace
}  // namespace rawgate::net
