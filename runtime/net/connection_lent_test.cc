// Connections whose socket another thread works on for a while.
#include <sys/socket.h>

#include <atomic>
#include <string>

#include <gtest/gtest.h>

#include "runtime/net/connection.h"
#include "runtime/net/stream_listener.h"
#include "runtime/testing/loop_thread.h"
#include "runtime/testing/raw_client.h"

namespace rawgate::net {
namespace {

using ::rawgate::testing::Eventually;
using ::rawgate::testing::LoopThread;
using ::rawgate::testing::RawClient;

// Reads from a lent socket, with recv(2), until a '.' has come; answers with what came, and goes on
// as usual: echoes.
class Borrower final : public StreamHandler {
 public:
  asio::awaitable<Next> Serve(Connection& connection) override {
    std::string taken;
    {
      const Connection::Lent lent(connection);
      while (taken.empty() || taken.back() != '.') {
        char byte;
        const ssize_t n = ::recv(connection.native_handle(), &byte, 1, MSG_DONTWAIT);
        if (n == 1) {
          taken.push_back(byte);
        } else if (n == 0) {
          ++ends_;
          break;
        } else {
          ++waits_;
          if (!co_await connection.WaitReadable()) {
            ++gone_;
            co_return Next::kClose;
          }
        }
      }
    }
    co_await connection.Write(taken);
    char byte;
    const ReadResult read = co_await connection.Read(std::span(&byte, 1));
    if (read.kind != ReadResult::Kind::kData) co_return Next::kClose;
    co_await connection.Write(absl::string_view(&byte, 1));
    co_return Next::kPark;
  }

  std::atomic<int> waits_{0};
  std::atomic<int> ends_{0};
  std::atomic<int> gone_{0};
};

class LentTest : public ::testing::Test {
 protected:
  LentTest()
      : listener_(thread_.loop(), "tcp", *Endpoint::Parse("tcp://127.0.0.1:0"), {}, handler_,
                  events_) {
    EXPECT_TRUE(thread_.Run([&] { return listener_.Start(); }).ok());
  }
  ~LentTest() override {
    thread_.Run([&] {
      listener_.Stop([] {});
      listener_.CloseAll();
      return true;
    });
    EXPECT_TRUE(Eventually([&] { return listener_.counters().connections_open.value() == 0; }));
    thread_.Stop();
  }

  Borrower handler_;
  observe::EventLog events_;
  LoopThread thread_;
  StreamListener listener_;
};

TEST_F(LentTest, WaitsAreToldOfEachArrival) {
  RawClient client(listener_.bound_uri());
  ASSERT_TRUE(client.Send("a"));
  for (int waits = 1; waits <= 3; ++waits) {
    ASSERT_TRUE(Eventually([&] { return handler_.waits_ == waits; }));
    ASSERT_TRUE(client.Send("b"));
  }
  ASSERT_TRUE(client.Send("."));
  EXPECT_EQ(client.ReadExactly(5), "abbb.");
}

TEST_F(LentTest, WhatCameMeanwhileIsReadAfterwards) {
  RawClient client(listener_.bound_uri());
  ASSERT_TRUE(client.Send("a.z"));
  EXPECT_EQ(client.ReadExactly(3), "a.z");
  // Parked, and as wakeful as ever.
  ASSERT_TRUE(client.Send("c.y"));
  EXPECT_EQ(client.ReadExactly(3), "c.y");
}

TEST_F(LentTest, AFinIsReported) {
  RawClient client(listener_.bound_uri());
  ASSERT_TRUE(client.Send("a"));
  ASSERT_TRUE(Eventually([&] { return handler_.waits_ == 1; }));
  client.HalfClose();
  EXPECT_EQ(client.ReadToEnd(), "a");
  EXPECT_EQ(handler_.ends_, 1);
}

TEST_F(LentTest, AResetEndsTheWait) {
  RawClient client(listener_.bound_uri());
  ASSERT_TRUE(client.Send("a"));
  ASSERT_TRUE(Eventually([&] { return handler_.waits_ == 1; }));
  client.Reset();
  EXPECT_TRUE(Eventually([&] { return listener_.counters().connections_open.value() == 0; }));
}

TEST_F(LentTest, ACloseFromHereEndsTheWait) {
  RawClient client(listener_.bound_uri());
  ASSERT_TRUE(client.Send("a"));
  ASSERT_TRUE(Eventually([&] { return handler_.waits_ == 1; }));
  thread_.Run([&] {
    listener_.CloseAll();
    return true;
  });
  EXPECT_TRUE(Eventually([&] { return handler_.gone_ == 1; }));
}

}  // namespace
}  // namespace rawgate::net
