// A stream listener on a loop of its own, and a protocol that answers lines.
#pragma once

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/net/stream_listener.h"
#include "runtime/testing/loop_thread.h"
#include "runtime/testing/raw_client.h"

namespace rawgate::net {

using ::rawgate::testing::Eventually;
using ::rawgate::testing::LoopThread;
using ::rawgate::testing::RawClient;

// More than the buffers of a loopback connection hold.
inline constexpr size_t kBig = 32 << 20;

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
    thread_.Run([&] { listener_->CloseAll(); });
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

}  // namespace rawgate::net
