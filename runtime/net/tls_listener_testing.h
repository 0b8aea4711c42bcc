// A listener of a tls:// address, on a loop of its own, with a certificate that its clients trust.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <memory>
#include <string>

#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "runtime/net/stream_listener.h"
#include "runtime/net/tls_context.h"
#include "runtime/testing/loop_thread.h"
#include "runtime/testing/raw_client.h"
#include "runtime/testing/test_certificates.h"
#include "runtime/testing/tls_client.h"

namespace rawgate::net {

using ::rawgate::testing::Eventually;
using ::rawgate::testing::LoopThread;
using ::rawgate::testing::RawClient;
using ::rawgate::testing::TestAuthority;
using ::rawgate::testing::TestFolder;
using ::rawgate::testing::TestIdentity;
using ::rawgate::testing::TlsClient;

// More than the buffers of a connection hold.
inline constexpr size_t kBig = 16 << 20;

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

}  // namespace rawgate::net
