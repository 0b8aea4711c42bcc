#include "runtime/http/front_rules.h"

#include <string>

#include "gtest/gtest.h"
#include "runtime/base/status.h"

namespace rawgate::http {
namespace {

net::Endpoint Local(absl::string_view uri = "tcp://192.0.2.7:8088") {
  return *net::Endpoint::Parse(uri);
}

FrontRules Rules() {
  return *FrontRules::Make({"rawgate.example"}, {"https://console.example:8443"});
}

Request WithHost(absl::string_view host) {
  Request request;
  request.method = "GET";
  request.path = "/";
  request.fields.Add("host", host);
  return request;
}

Request WithOrigin(absl::string_view origin) {
  Request request = WithHost("127.0.0.1:8088");
  request.fields.Add("origin", origin);
  return request;
}

int StatusOf(const Request& request) {
  const auto refusal = Rules().Check(request, Local());
  return refusal.has_value() ? refusal->status : 200;
}

TEST(FrontRulesTest, KnowsItsHosts) {
  for (const char* host :
       {"localhost", "LocalHost:8088", "127.0.0.1", "127.1.2.3:1", "[::1]", "[::1]:8088",
        "192.0.2.7:8088", "rawgate.example", "RAWGATE.example:1"}) {
    EXPECT_EQ(StatusOf(WithHost(host)), 200) << host;
  }
}

TEST(FrontRulesTest, IsNoOtherHost) {
  for (const char* host : {"evil.example", "127.0.0.1.evil.example", "localhost.evil.example",
                           "192.0.2.8", "[::2]", "rawgate.example.evil", "2130706433", "0.0.0.0"}) {
    EXPECT_EQ(StatusOf(WithHost(host)), 421) << host;
  }
}

TEST(FrontRulesTest, RefusesWhatIsNoHost) {
  for (const char* host : {"", ":80", "a b", "a/b", "user@localhost", "localhost:x", "localhost:-1",
                           "localhost:99999", "[::1", "[::1]x", "localhost,localhost"}) {
    EXPECT_EQ(StatusOf(WithHost(host)), 400) << host;
  }
}

TEST(FrontRulesTest, AsksForAHostFromHttp11On) {
  Request request;
  EXPECT_EQ(StatusOf(request), 400);
  request.version = 10;
  EXPECT_EQ(StatusOf(request), 200);
}

TEST(FrontRulesTest, ServesPagesOfItsOwnOriginAndOfListedOnes) {
  for (const char* origin :
       {"http://127.0.0.1:8088", "https://127.0.0.1:8088", "https://console.example:8443"}) {
    EXPECT_EQ(StatusOf(WithOrigin(origin)), 200) << origin;
  }
}

TEST(FrontRulesTest, RefusesPagesOfOtherOrigins) {
  for (const char* origin :
       {"http://127.0.0.1:3000", "http://localhost:8088", "null", "https://console.example",
        "http://console.example:8443", "", "file://", "http://127.0.0.1:8088/"}) {
    EXPECT_EQ(StatusOf(WithOrigin(origin)), 403) << origin;
  }
}

TEST(FrontRulesTest, RefusesWhatForeignPagesEmbed) {
  Request request = WithHost("localhost");
  request.fields.Add("sec-fetch-site", "cross-site");
  EXPECT_EQ(StatusOf(request), 403);
  request.fields.Add("sec-fetch-mode", "navigate");
  EXPECT_EQ(StatusOf(request), 200);
}

TEST(FrontRulesTest, AnswersThePreflightOfAListedOrigin) {
  Request request = WithOrigin("https://console.example:8443");
  request.method = "OPTIONS";
  request.fields.Add("access-control-request-method", "POST");
  request.fields.Add("access-control-request-headers", "content-type, connect-protocol-version");
  const auto response = Rules().Preflight(request);
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 204);
  EXPECT_EQ(response->fields.Get("access-control-allow-methods"), "GET, POST");
  EXPECT_EQ(response->fields.Get("access-control-allow-headers"),
            "content-type, connect-protocol-version");
  Fields fields;
  Rules().AddCorsFields(request, &fields);
  EXPECT_EQ(fields.Get("access-control-allow-origin"), "https://console.example:8443");
  EXPECT_EQ(fields.Get("vary"), "origin");
}

TEST(FrontRulesTest, TellsNobodyElseThatHeMayRead) {
  Request request = WithOrigin("http://127.0.0.1:8088");
  request.method = "OPTIONS";
  request.fields.Add("access-control-request-method", "POST");
  EXPECT_FALSE(Rules().Preflight(request).has_value());
  Fields fields;
  Rules().AddCorsFields(request, &fields);
  EXPECT_EQ(fields.Find("access-control-allow-origin"), nullptr);
}

TEST(FrontRulesTest, RefusesOptionsThatMakeNoSense) {
  EXPECT_EQ(ReasonOf(FrontRules::Make({"a:80"}, {}).status()), "BAD_OPTION");
  EXPECT_EQ(ReasonOf(FrontRules::Make({"a/b"}, {}).status()), "BAD_OPTION");
  EXPECT_EQ(FieldOf(FrontRules::Make({}, {"console.example"}).status()), "http_origins");
  EXPECT_EQ(ReasonOf(FrontRules::Make({}, {"https://a/b"}).status()), "BAD_OPTION");
}

}  // namespace
}  // namespace rawgate::http
