// What one client may take of an HTTP server, and what others then still get.
#include <future>
#include <memory>
#include <new>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/http/router.h"
#include "runtime/http/server.h"
#include "runtime/testing/raw_client.h"

namespace rawgate::http {
namespace {

using ::testing::EndsWith;
using testing::Eventually;
using testing::RawClient;
using ::testing::StartsWith;

class HttpLimitsTest : public ::testing::Test {
 protected:
  HttpLimitsTest() {
    router_.Add("/echo", [](const std::shared_ptr<Exchange>& exchange) {
      exchange->Respond(TextResponse(200, exchange->request().body));
    });
    router_.Add("/hold", [this](std::shared_ptr<Exchange> exchange) {
      held_.set_value(std::move(exchange));
    });
    router_.Add("/throw", [](const std::shared_ptr<Exchange>&) { throw std::bad_alloc(); });
  }
  ~HttpLimitsTest() override { server_->Stop(absl::ZeroDuration()); }

  void Start(ServerOptions options) {
    options.counters = counters_;
    auto server = Server::Start(
        {*net::Endpoint::Parse("tcp://127.0.0.1:0")}, std::move(options),
        [this](std::shared_ptr<Exchange> exchange) { router_.Serve(std::move(exchange)); });
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  std::string uri() const { return server_->uris()[0]; }
  std::string Echoed() {
    RawClient client(uri());
    client.Send("POST /echo HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi");
    return client.ReadToEnd();
  }
  uint64_t Turned(http::Turned why) { return counters_->Of(why).value(); }

  const std::shared_ptr<ServerCounters> counters_ = std::make_shared<ServerCounters>();
  Router router_;
  std::promise<std::shared_ptr<Exchange>> held_;
  std::unique_ptr<Server> server_;
};

std::string Post(absl::string_view path, size_t length, size_t sent) {
  return absl::StrCat("POST ", path, " HTTP/1.1\r\nHost: localhost\r\nContent-Length: ", length,
                      "\r\n\r\n", std::string(sent, 'x'));
}

TEST_F(HttpLimitsTest, AHalfSentHeadGivesWay) {
  Start({.connections_max = 1});
  RawClient slow(uri());
  slow.Send("GET /echo HT");
  ASSERT_TRUE(Eventually([&] { return counters_->connections_open.value() == 1; }));
  EXPECT_THAT(Echoed(), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(slow.ReadToEnd(), "");
  EXPECT_EQ(Turned(Turned::kEvicted), 1);
}

TEST_F(HttpLimitsTest, ABodyThatIsStillComingGivesWay) {
  Start({.body_bytes_max = 100'000, .bodies_bytes_max = 100'000});
  RawClient slow(uri());
  slow.Send(Post("/echo", 70'000, 60'000));
  ASSERT_TRUE(Eventually([&] { return counters_->bodies_bytes.value() == 60'000; }));
  RawClient quick(uri());
  quick.Send(Post("/hold", 60'000, 60'000));
  held_.get_future().get()->Respond(TextResponse(200, "done"));
  EXPECT_THAT(quick.ReadExactly(15), "HTTP/1.1 200 OK");
  EXPECT_EQ(slow.ReadToEnd(), "");
  EXPECT_EQ(Turned(Turned::kBody), 1);
}

TEST_F(HttpLimitsTest, WhatCameFastEarnsNoTimeForTheRest) {
  // 100,000 bytes in a time of no progress, over and over.
  Start({.stall_timeout = absl::Seconds(1), .bytes_per_second_min = 100'000});
  RawClient client(uri());
  client.Send(Post("/echo", 4'000'000, 3'900'000));
  std::promise<std::string> answer;
  std::thread reader([&] { answer.set_value(client.ReadToEnd()); });
  std::future<std::string> answered = answer.get_future();
  while (answered.wait_for(std::chrono::milliseconds(100)) != std::future_status::ready) {
    client.Send("x");
  }
  reader.join();
  EXPECT_THAT(answered.get(), StartsWith("HTTP/1.1 408 "));
}

TEST_F(HttpLimitsTest, AnAnswerIsTakenInTime) {
  Start({.stall_timeout = absl::Seconds(1), .bytes_per_second_min = 100 << 20});
  RawClient client(uri());
  client.Send(Post("/hold", 0, 0));
  const auto held = held_.get_future().get();
  held->Begin({.status = 200, .fields = {}, .body = ""});
  std::promise<bool> written;
  std::future<bool> outcome = written.get_future();
  held->Write(std::string(64 << 20, 'x'), [&](bool ok) { written.set_value(ok); });
  while (outcome.wait_for(std::chrono::milliseconds(10)) != std::future_status::ready) {
    client.ReadSome();
  }
  EXPECT_FALSE(outcome.get());
}

TEST_F(HttpLimitsTest, ABodyThatIsDroppedCountsNoMore) {
  Start({});
  RawClient client(uri());
  client.Send(Post("/hold", 60'000, 60'000));
  const auto held = held_.get_future().get();
  EXPECT_EQ(counters_->bodies_bytes.value(), 60'000);
  held->DropBody();
  EXPECT_TRUE(Eventually([&] { return counters_->bodies_bytes.value() == 0; }));
  EXPECT_EQ(held->request().body, "");
}

TEST_F(HttpLimitsTest, AnExceptionEndsOneConnection) {
  Start({});
  RawClient client(uri());
  client.Send(Post("/throw", 0, 0));
  EXPECT_EQ(client.ReadToEnd(), "");
  EXPECT_THAT(Echoed(), StartsWith("HTTP/1.1 200 "));
  EXPECT_TRUE(Eventually([&] { return Turned(Turned::kError) == 1; }));
  EXPECT_TRUE(Eventually([&] { return counters_->connections_open.value() == 0; }));
}

TEST_F(HttpLimitsTest, AnExceptionBeforeTheConnectionDropsItsSocket) {
  Start({.tls = []() -> std::shared_ptr<boost::asio::ssl::context> { throw std::bad_alloc(); }});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(RawClient(uri()).ReadToEnd(), "");
  EXPECT_TRUE(Eventually([&] { return Turned(Turned::kError) == 2; }));
}

TEST_F(HttpLimitsTest, CountsAnswersByStatus) {
  Start({});
  EXPECT_THAT(Echoed(), EndsWith("hi\n"));
  RawClient bad(uri());
  bad.Send("nonsense\r\n\r\n");
  EXPECT_THAT(bad.ReadToEnd(), StartsWith("HTTP/1.1 400 "));
  EXPECT_EQ(counters_->answers[200 - ServerCounters::kStatusMin].value(), 1);
  EXPECT_EQ(counters_->answers[400 - ServerCounters::kStatusMin].value(), 1);
  EXPECT_EQ(counters_->connections_opened.value(), 2);
}

}  // namespace
}  // namespace rawgate::http
