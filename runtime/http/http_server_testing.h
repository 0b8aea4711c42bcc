// An HTTP server with the pages of every process, and some that tests answer themselves.
#pragma once

#include <future>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "runtime/http/exchange.h"
#include "runtime/http/pages.h"
#include "runtime/http/router.h"
#include "runtime/http/server.h"
#include "runtime/testing/raw_client.h"

namespace rawgate::http {

using testing::RawClient;

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

  // The test's one request for /hold or /begin, which nobody has answered.
  std::shared_ptr<Exchange> Held() { return held_.get_future().get(); }

  Router router_;
  std::promise<std::shared_ptr<Exchange>> held_;
  std::unique_ptr<Server> server_;
};

inline constexpr char kHealth[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
inline constexpr char kHealthLast[] =
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
inline constexpr char kHold[] = "GET /hold HTTP/1.1\r\nHost: localhost\r\n\r\n";

// Reads one answer with a content-length.
inline std::string ReadAnswer(RawClient& client) {
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

inline bool WriteAndWait(Exchange& exchange, std::string piece) {
  std::promise<bool> written;
  exchange.Write(std::move(piece), [&](bool ok) { written.set_value(ok); });
  return written.get_future().get();
}

}  // namespace rawgate::http
