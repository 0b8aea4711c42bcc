#include "gateway/call_headers.h"

#include <string>
#include <utility>
#include <vector>

#include "gateway/grpc_wire.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::gateway {
namespace {

using http2::HeaderList;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

using Fields = std::vector<std::pair<std::string, std::string>>;

HeaderList List(const Fields& fields) {
  HeaderList list;
  for (const auto& [name, value] : fields) list.Add(name, value);
  return list;
}
Fields Of(const HeaderList& list) {
  Fields fields;
  for (size_t i = 0; i < list.size(); ++i)
    fields.emplace_back(std::string(list[i].name), std::string(list[i].value));
  return fields;
}

const Fields& Plain() {
  static const Fields fields = {{":method", "POST"},
                                {":scheme", "https"},
                                {":path", "/rawgate.echo.v1.EchoService/Echo"},
                                {":authority", "gateway.example"},
                                {"te", "trailers"},
                                {"content-type", "application/grpc+proto"},
                                {"user-agent", "client/1"}};
  return fields;
}

class RequestToBackendTest : public ::testing::Test {
 protected:
  // What a service is sent of a request with these fields more.
  HeaderList Send(const Fields& more, int attempts = 0,
                  std::optional<absl::Duration> time_left = std::nullopt) {
    Fields all = Plain();
    all.insert(all.end(), more.begin(), more.end());
    const HeaderList fields = List(all);
    return RequestToBackend({.fields = fields,
                             .caller = caller_,
                             .peer = peer_,
                             .attempts = attempts,
                             .time_left = time_left},
                            {authority_, scheme_});
  }
  // Those of them that arrive.
  Fields Arriving(const Fields& more) {
    Fields all = Of(Send(more));
    const size_t own = Of(Send({})).size();
    // Between those of the leg, and those that the gateway says.
    return {all.begin() + 7, all.begin() + 7 + static_cast<long>(all.size() - own)};
  }

  Caller caller_{.name = "ann", .role = rpc::Role::kOperator};
  std::string peer_ = "tcp://192.0.2.1:5";
  std::string authority_ = "echo:50061";
  std::string scheme_ = "http";
};

TEST_F(RequestToBackendTest, IsOfItsOwnLeg) {
  EXPECT_THAT(Of(Send({})),
              ElementsAre(Pair(":method", "POST"), Pair(":scheme", "http"),
                          Pair(":path", "/rawgate.echo.v1.EchoService/Echo"),
                          Pair(":authority", "echo:50061"), Pair("te", "trailers"),
                          Pair("content-type", "application/grpc+proto"),
                          Pair("user-agent", kUserAgent), Pair("x-rawgate-peer", peer_),
                          Pair("x-rawgate-role", "operator"), Pair("x-rawgate-user", "ann")));
}

TEST_F(RequestToBackendTest, NobodyHasNoName) {
  caller_ = {.name = "", .role = rpc::Role::kAdmin};
  EXPECT_THAT(Of(Send({})), Contains(Pair("x-rawgate-role", "admin")));
  EXPECT_THAT(Of(Send({})), Not(Contains(Key("x-rawgate-user"))));
}

TEST_F(RequestToBackendTest, CustomMetadataTravelsInOrder) {
  const Fields custom = {{"trace-id", "abc"},     {"trace-id", "def"}, {"traceparent", "00-1"},
                         {"blob-bin", "AAH+"},    {"empty", ""},       {"empty-bin", ""},
                         {"padded-bin", "YWI="},  {"a.b_c-1", "~ !"},  {"grpc", "no reserved name"},
                         {"x-rawgate", "neither"}};
  EXPECT_EQ(Arriving(custom), custom);
}

TEST_F(RequestToBackendTest, WhatIsOfOneConnectionStays) {
  EXPECT_THAT(Arriving({{"grpc-timeout", "1S"},
                        {"grpc-encoding", "gzip"},
                        {"grpc-accept-encoding", "gzip"},
                        {"grpc-previous-rpc-attempts", "3"},
                        {"grpc-anything-bin", "AAA="},
                        {"content-length", "5"},
                        {"host", "elsewhere"},
                        {"user-agent", "another"},
                        {"te", "gzip"},
                        {"content-type", "text/plain"}}),
              IsEmpty());
}

TEST_F(RequestToBackendTest, WhatIsBetweenClientAndGatewayStays) {
  EXPECT_THAT(Arriving({{"authorization", "Bearer one"},
                        {"x-rawgate-peer", "tcp://forged:1"},
                        {"x-rawgate-role", "admin"},
                        {"x-rawgate-user", "root"},
                        {"x-rawgate-http-cert-uri-bin", "dXJu"},
                        {"x-rawgate-http-cert-cn-bin", "cm9vdA"},
                        {"x-rawgate-of-tomorrow", "1"}}),
              IsEmpty());
}

TEST_F(RequestToBackendTest, WhatGrpcWouldNotSendIsDropped) {
  EXPECT_THAT(Arriving({{"control", "a\x01z"},
                        {"tab", "a\tz"},
                        {"line", "a\nz"},
                        {"delete", "\x7f"},
                        {"utf-8", "\xc3\xa9"},
                        {"nul", std::string("a\0z", 3)},
                        {"with space", "a"},
                        {"colon:", "a"},
                        {"tilde~", "a"},
                        {"Upper", "a"}}),
              IsEmpty());
}

TEST_F(RequestToBackendTest, BinaryMetadataIsBase64) {
  for (const char* value :
       {"a", "aaaaa", "a=", "=", "====", "a=b", "YQ===", "?!", "YQ,YQ", "YQ YQ", "-_-_"})
    EXPECT_THAT(Arriving({{"blob-bin", value}}), IsEmpty()) << value;
  for (const char* value : {"", "YQ", "YQ==", "YWI", "YWI=", "YWJj", "+/+/"})
    EXPECT_EQ(Arriving({{"blob-bin", value}}).size(), 1U) << value;
}

TEST_F(RequestToBackendTest, SensitiveStaysSensitive) {
  HeaderList fields = List(Plain());
  fields.Add("secret", "s", /*sensitive=*/true);
  fields.Add("open", "o");
  const HeaderList sent =
      RequestToBackend({.fields = fields, .caller = caller_, .peer = peer_}, {authority_, scheme_});
  for (size_t i = 0; i < sent.size(); ++i)
    EXPECT_EQ(sent[i].sensitive, sent[i].name == "secret") << sent[i].name;
}

TEST_F(RequestToBackendTest, TimeLeftAndAttemptsAreTold) {
  const Fields sent = Of(Send({{"grpc-timeout", "1H"}}, 2, absl::Milliseconds(3)));
  EXPECT_THAT(sent, Contains(Pair("grpc-timeout", "3000000n")));
  EXPECT_THAT(sent, Contains(Pair("grpc-previous-rpc-attempts", "2")));
  EXPECT_THAT(sent, Not(Contains(Pair("grpc-timeout", "1H"))));
}

const Fields kAnswer = {{":status", "200"},
                        {"content-type", "application/grpc+proto"},
                        {"grpc-encoding", "identity"},
                        {"grpc-accept-encoding", "identity,deflate,gzip"},
                        {"answered-by", "test"},
                        {"x-rawgate-peer", "forged"},
                        {"broken-bin", "?"},
                        {"cost-bin", "AP8="}};

TEST(ResponseToClientTest, HasItsOwnFieldsAndCustomMetadata) {
  EXPECT_THAT(Of(ResponseToClient(List(kAnswer))),
              ElementsAre(Pair(":status", "200"), Pair("content-type", "application/grpc"),
                          Pair("answered-by", "test"), Pair("cost-bin", "AP8=")));
}

const Fields kTrailers = {{"grpc-status", "5"},
                          {"grpc-message", "not%20here"},
                          {"grpc-status-details-bin", "CAU"},
                          {"grpc-retry-pushback-ms", "10"},
                          {"failed", "yes"},
                          {"broken-bin", "?"}};

TEST(TrailersToClientTest, StatusIsTheOneThatIsGivenAndMetadataTravels) {
  const grpc::Status status(grpc::StatusCode::UNAVAILABLE, "no \xc3\xa9", "\x08\x0e");
  EXPECT_THAT(Of(TrailersToClient(List(kTrailers), status, /*alone=*/false)),
              ElementsAre(Pair("grpc-status", "14"), Pair("grpc-message", "no %C3%A9"),
                          Pair("grpc-status-details-bin", "CA4"), Pair("failed", "yes")));
  EXPECT_THAT(Of(TrailersToClient({}, grpc::Status::OK, /*alone=*/true)),
              ElementsAre(Pair(":status", "200"), Pair("content-type", "application/grpc"),
                          Pair("grpc-status", "0")));
}

TEST(PassTrailersTest, TheStatusIsTheServices) {
  EXPECT_THAT(Of(PassTrailers(List(kTrailers), /*alone=*/false)),
              ElementsAre(Pair("grpc-status", "5"), Pair("grpc-message", "not%20here"),
                          Pair("grpc-status-details-bin", "CAU"), Pair("failed", "yes")));
  Fields alone = kAnswer;
  alone.insert(alone.end(), kTrailers.begin(), kTrailers.end());
  EXPECT_THAT(Of(PassTrailers(List(alone), /*alone=*/true)),
              ElementsAre(Pair(":status", "200"), Pair("content-type", "application/grpc"),
                          Pair("answered-by", "test"), Pair("cost-bin", "AP8="),
                          Pair("grpc-status", "5"), Pair("grpc-message", "not%20here"),
                          Pair("grpc-status-details-bin", "CAU"), Pair("failed", "yes")));
}

TEST(NotGrpcTest, SaysWhatWouldBe) {
  EXPECT_THAT(Of(NotGrpc()),
              ElementsAre(Pair(":status", "415"), Pair("accept-post", "application/grpc")));
}

}  // namespace
}  // namespace rawgate::gateway
