#include <unistd.h>

#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/http/http_server_testing.h"

namespace rawgate::http {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(HttpServerTest, ServesThePagesOfEveryProcess) {
  Start();
  EXPECT_THAT(Exchanged(kHealthLast), AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), EndsWith("ok\n")));
  EXPECT_THAT(Exchanged("GET /readyz HTTP/1.0\r\n\r\n"),
              EndsWith("{\"ready\":true,\"not_serving\":[]}\n"));
  EXPECT_THAT(Exchanged("GET /version HTTP/1.0\r\n\r\n"), HasSubstr("\"name\":\"test\""));
  EXPECT_THAT(Exchanged("GET /metrics HTTP/1.0\r\n\r\n"), EndsWith("\r\n\r\nm 1\n"));
  EXPECT_THAT(Exchanged("GET /nothing HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Exchanged("POST /healthz HTTP/1.0\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("allow: GET, HEAD\r\n")));
  EXPECT_THAT(Exchanged("HEAD /healthz HTTP/1.0\r\n\r\n"),
              AllOf(HasSubstr("content-length: 3\r\n"), EndsWith("\r\n\r\n")));
}

TEST_F(HttpServerTest, SaysWhatBrowsersMayMakeOfIt) {
  Start();
  EXPECT_THAT(Exchanged(kHealthLast),
              AllOf(HasSubstr("x-content-type-options: nosniff\r\n"),
                    HasSubstr("cache-control: no-store\r\n"),
                    HasSubstr("content-security-policy: default-src 'none'"),
                    Not(HasSubstr("access-control"))));
}

TEST_F(HttpServerTest, ServesUnixSockets) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/http_server_test.sock");
  Start({}, absl::StrCat("unix://", path));
  EXPECT_THAT(Exchanged(kHealthLast), EndsWith("ok\n"));
  ::unlink(path.c_str());
}

TEST_F(HttpServerTest, KeepsTheConnectionAndServesPipelinedRequestsInOrder) {
  Start();
  RawClient client(uri());
  client.Send(absl::StrCat(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\none", kHealth,
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nthree\r\n0\r\n\r\n"));
  EXPECT_THAT(ReadAnswer(client), EndsWith("\r\n\r\none\n"));
  EXPECT_THAT(ReadAnswer(client), EndsWith("\r\n\r\nok\n"));
  EXPECT_THAT(ReadAnswer(client), EndsWith("\r\n\r\nthree\n"));
  client.Send(kHealth);
  EXPECT_THAT(ReadAnswer(client), EndsWith("ok\n"));
}

TEST_F(HttpServerTest, RefusesSmugglingAndCloses) {
  Start();
  const std::string answer =
      Exchanged(absl::StrCat("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                             kHealth));
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("connection: close\r\n"),
                            Not(HasSubstr("200 OK"))));
}

TEST_F(HttpServerTest, IsNoOtherHost) {
  Start();
  EXPECT_THAT(Exchanged("GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
              StartsWith("HTTP/1.1 421 Misdirected Request\r\n"));
}

TEST_F(HttpServerTest, BoundsHeadAndBody) {
  Start({.header_bytes_max = 1000, .body_bytes_max = 100});
  EXPECT_THAT(Exchanged(absl::StrCat("GET / HTTP/1.1\r\nHost: localhost\r\nX: ",
                                     std::string(100'000, 'x'), "\r\n\r\n")),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(Exchanged(absl::StrCat("POST /echo HTTP/1.1\r\nHost: localhost\r\n"
                                     "Content-Length: 1000000\r\n\r\n",
                                     std::string(1'000'000, 'x'))),
              StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, BoundsAllBodiesTogether) {
  Start({.body_bytes_max = 100'000, .bodies_bytes_max = 100'000});
  const std::string post =
      absl::StrCat("POST /hold HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n",
                   std::string(60'000, 'x'));
  RawClient first(uri());
  first.Send(post);
  const auto held = Held();
  EXPECT_THAT(Exchanged(post), StartsWith("HTTP/1.1 503 "));
  held->Respond(TextResponse(200, "done"));
  EXPECT_THAT(ReadAnswer(first), EndsWith("done\n"));
}

TEST_F(HttpServerTest, GivesUpOnSlowRequests) {
  Start({.header_timeout = absl::Milliseconds(200), .stall_timeout = absl::Milliseconds(200)});
  EXPECT_THAT(Exchanged("GET / HTTP/1.1\r\nHo"), StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(Exchanged("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nx"),
              StartsWith("HTTP/1.1 408 "));
  EXPECT_EQ(Exchanged(""), "");
}

TEST_F(HttpServerTest, ClosesWhatIsIdle) {
  Start({.idle_timeout = absl::Milliseconds(200)});
  EXPECT_THAT(Exchanged(kHealth), EndsWith("ok\n"));
}

TEST_F(HttpServerTest, SendsContinueToWhoWaitsForIt) {
  Start();
  RawClient client(uri());
  client.Send(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: "
      "2\r\n\r\n");
  EXPECT_EQ(client.ReadExactly(25), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("hi");
  EXPECT_THAT(ReadAnswer(client), EndsWith("hi\n"));
}

TEST_F(HttpServerTest, TakesAnIdleConnectionsPlaceButNoBusyOnes) {
  Start({.connections_max = 1});
  RawClient idle(uri());
  idle.Send(kHealth);
  EXPECT_THAT(ReadAnswer(idle), EndsWith("ok\n"));
  // The server may not know yet that the first is idle, whose answer is already here.
  std::unique_ptr<RawClient> busy;
  ASSERT_TRUE(testing::Eventually([&] {
    busy = std::make_unique<RawClient>(uri());
    busy->Send("GET /begin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    return busy->ReadExactly(12) == "HTTP/1.1 200";
  }));
  const auto held = Held();
  EXPECT_EQ(idle.ReadToEnd(), "");
  RawClient third(uri());
  EXPECT_THAT(third.ReadToEnd(), StartsWith("HTTP/1.1 503 "));
  held->End();
  EXPECT_THAT(busy->ReadToEnd(), EndsWith("\r\n\r\n0\r\n\r\n"));
}

TEST_F(HttpServerTest, FinishesWhatIsInProgressWhenItStops) {
  Start();
  RawClient idle(uri());
  idle.Send(kHealth);
  ReadAnswer(idle);
  RawClient client(uri());
  client.Send(kHold);
  const auto held = Held();
  std::thread stop([&] { server_->Stop(absl::InfiniteDuration()); });
  EXPECT_EQ(idle.ReadToEnd(), "");
  held->Respond(TextResponse(200, "last"));
  EXPECT_THAT(client.ReadToEnd(), AllOf(HasSubstr("connection: close\r\n"), EndsWith("last\n")));
  stop.join();
}

TEST_F(HttpServerTest, EndsWhatDoesNotFinishInTime) {
  Start();
  RawClient client(uri());
  client.Send(kHold);
  const auto held = Held();
  server_->Stop(absl::Milliseconds(50));
  EXPECT_EQ(client.ReadToEnd(), "");
  held->Begin({.status = 200, .fields = {}, .body = ""});
  EXPECT_FALSE(WriteAndWait(*held, "x"));
}

}  // namespace
}  // namespace rawgate::http
