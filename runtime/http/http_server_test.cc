#include <atomic>
#include <deque>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/http/pages.h"
#include "runtime/http/server.h"
#include "runtime/testing/raw_client.h"

namespace rawgate::http {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::RawClient;
using ::testing::StartsWith;

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServerTest() {
    AddProcessPages({.name = "test",
                     .instance = "i",
                     .readiness = [](const auto& answer) { answer(Readiness{}); },
                     .metrics = [] { return "m 1\n"; },
                     .access = {}},
                    router_);
    router_.Add("/echo", [](const std::shared_ptr<Exchange>& exchange) {
      exchange->Respond(TextResponse(200, exchange->request().body));
    });
    router_.Add("/begin", [this](std::shared_ptr<Exchange> exchange) {
      exchange->Begin({.status = 200, .fields = {}, .body = ""});
      held_.set_value(std::move(exchange));
    });
    router_.Add("/hold", [this](std::shared_ptr<Exchange> exchange) {
      held_.set_value(std::move(exchange));
    });
  }
  ~HttpServerTest() override { server_->Stop(absl::ZeroDuration()); }

  void Start(ServerOptions options = {}, absl::string_view address = "tcp://127.0.0.1:0") {
    auto server = Server::Start(
        {*net::Endpoint::Parse(address)}, std::move(options),
        [this](std::shared_ptr<Exchange> exchange) { router_.Serve(std::move(exchange)); });
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  std::string uri() const { return server_->uris()[0]; }

  // Everything that comes until the server closes.
  std::string Exchanged(absl::string_view bytes) {
    RawClient client(uri());
    client.Send(bytes);
    return client.ReadToEnd();
  }

  std::shared_ptr<Exchange> Held() { return held_.get_future().get(); }

  Router router_;
  std::promise<std::shared_ptr<Exchange>> held_;
  std::unique_ptr<Server> server_;
};

constexpr char kHealth[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr char kHealthLast[] =
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
constexpr char kHold[] = "GET /hold HTTP/1.1\r\nHost: localhost\r\n\r\n";

// Reads one answer with a content-length.
std::string ReadAnswer(RawClient& client) {
  std::string answer;
  while (!absl::StrContains(answer, "\r\n\r\n")) {
    const std::string byte = client.ReadExactly(1);
    if (byte.empty()) return answer;
    answer += byte;
  }
  const size_t at = answer.find("content-length: ");
  if (at == std::string::npos) return answer;
  return answer + client.ReadExactly(std::stoul(answer.substr(at + 16)));
}

bool WriteAndWait(Exchange& exchange, std::string piece) {
  std::promise<bool> written;
  exchange.Write(std::move(piece), [&](bool ok) { written.set_value(ok); });
  return written.get_future().get();
}

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

TEST_F(HttpServerTest, AnswersFromAnyThread) {
  Start();
  RawClient client(uri());
  client.Send(kHold);
  std::thread([held = Held()] { held->Respond(TextResponse(200, "later")); }).join();
  EXPECT_THAT(ReadAnswer(client), EndsWith("later\n"));
}

TEST_F(HttpServerTest, AnswersForAHandlerThatDoesNot) {
  Start();
  RawClient client(uri());
  client.Send(kHold);
  Held().reset();
  EXPECT_THAT(ReadAnswer(client), StartsWith("HTTP/1.1 500 "));
}

TEST_F(HttpServerTest, DropsFieldsThatWouldBreakTheHead) {
  Start();
  RawClient client(uri());
  client.Send(kHold);
  Held()->Respond({.status = 200, .fields = {{"x-bad", "a\r\nx-injected: b"}}, .body = ""});
  EXPECT_THAT(ReadAnswer(client), Not(HasSubstr("injected")));
}

TEST_F(HttpServerTest, StreamsInChunksAndGoesOn) {
  Start();
  RawClient client(uri());
  client.Send(absl::StrCat(kHold, kHealth));
  const auto held = Held();
  held->Begin({.status = 200, .fields = {}, .body = "a"});
  EXPECT_TRUE(WriteAndWait(*held, "bc"));
  EXPECT_TRUE(WriteAndWait(*held, ""));
  held->End();
  EXPECT_THAT(ReadAnswer(client), HasSubstr("transfer-encoding: chunked\r\n"));
  constexpr absl::string_view kBody = "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n";
  EXPECT_EQ(client.ReadExactly(kBody.size()), kBody);
  EXPECT_THAT(ReadAnswer(client), EndsWith("ok\n"));
}

TEST_F(HttpServerTest, AStreamThatIsNotEndedIsCutOff) {
  Start();
  RawClient client(uri());
  client.Send(kHold);
  auto held = Held();
  held->Begin({.status = 200, .fields = {}, .body = "a"});
  held.reset();
  EXPECT_THAT(client.ReadToEnd(), EndsWith("\r\n\r\n1\r\na\r\n"));
}

TEST_F(HttpServerTest, ASlowReaderSlowsTheHandlerAndIsGivenUp) {
  Start({.stall_timeout = absl::Milliseconds(300)});
  RawClient client(uri());
  client.Send(kHold);
  const auto held = Held();
  std::promise<void> gone;
  held->OnGone([&] { gone.set_value(); });
  held->Begin({.status = 200, .fields = {}, .body = ""});
  while (WriteAndWait(*held, std::string(1 << 20, 'x'))) {
  }
  gone.get_future().wait();
}

TEST_F(HttpServerTest, TellsWhenTheClientLeaves) {
  Start();
  RawClient client(uri());
  client.Send(kHold);
  const auto held = Held();
  std::promise<void> gone;
  held->OnGone([&] { gone.set_value(); });
  client.Reset();
  gone.get_future().wait();
}

TEST_F(HttpServerTest, TellsWhenTheClientOfAStreamLeavesAfterStrayBytes) {
  Start();
  RawClient client(uri());
  client.Send(kHold);
  const auto held = Held();
  std::promise<void> gone;
  held->OnGone([&] { gone.set_value(); });
  held->Begin({.status = 200, .fields = {}, .body = "a"});
  EXPECT_TRUE(WriteAndWait(*held, "b"));
  client.Send("x");
  EXPECT_TRUE(WriteAndWait(*held, "c"));
  client.Send("y");
  client.Close();
  EXPECT_EQ(gone.get_future().wait_for(testing::kPatience), std::future_status::ready);
}

TEST_F(HttpServerTest, LetsGoOfWhoSendsTooMuchDuringAStream) {
  Start({.header_bytes_max = 1000});
  RawClient client(uri());
  client.Send(kHold);
  const auto held = Held();
  std::promise<void> gone;
  held->OnGone([&] { gone.set_value(); });
  held->Begin({.status = 200, .fields = {}, .body = "a"});
  client.Send(std::string(100'000, 'x'));
  EXPECT_EQ(gone.get_future().wait_for(testing::kPatience), std::future_status::ready);
}

TEST_F(HttpServerTest, AnswersAClientThatOnlyEndedItsSending) {
  Start();
  RawClient client(uri());
  client.Send(kHold);
  client.HalfClose();
  const auto held = Held();
  std::atomic<bool> gone = false;
  held->OnGone([&] { gone = true; });
  // By then the end has been seen.
  EXPECT_THAT(Exchanged(kHealthLast), EndsWith("ok\n"));
  held->Respond(TextResponse(200, "still"));
  EXPECT_THAT(client.ReadToEnd(), EndsWith("still\n"));
  EXPECT_FALSE(gone);
}

TEST_F(HttpServerTest, AClientThatEndedItsSendingIsNotAnsweredForEver) {
  Start({.half_closed_timeout = absl::Milliseconds(50)});
  RawClient client(uri());
  client.Send(kHold);
  client.HalfClose();
  const auto held = Held();
  std::promise<void> gone;
  held->OnGone([&] { gone.set_value(); });
  EXPECT_EQ(gone.get_future().wait_for(testing::kPatience), std::future_status::ready);
  EXPECT_EQ(client.ReadToEnd(), "");
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
