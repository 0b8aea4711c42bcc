#include "gateway/http/connect_error.h"

#include <boost/json.hpp>

#include "absl/strings/escaping.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::gateway {
namespace {

namespace json = boost::json;

grpc::Status NotFound() {
  return rpc::ToGrpc(Error(absl::StatusCode::kNotFound, "FILE_NOT_FOUND", "no such file"));
}

TEST(ConnectErrorTest, EveryCodeHasItsNameAndStatus) {
  const std::vector<std::pair<std::string, int>> expected = {{"canceled", 499},
                                                             {"unknown", 500},
                                                             {"invalid_argument", 400},
                                                             {"deadline_exceeded", 504},
                                                             {"not_found", 404},
                                                             {"already_exists", 409},
                                                             {"permission_denied", 403},
                                                             {"resource_exhausted", 429},
                                                             {"failed_precondition", 400},
                                                             {"aborted", 409},
                                                             {"out_of_range", 400},
                                                             {"unimplemented", 501},
                                                             {"internal", 500},
                                                             {"unavailable", 503},
                                                             {"data_loss", 500},
                                                             {"unauthenticated", 401}};
  for (size_t i = 0; i < expected.size(); ++i) {
    const auto code = static_cast<grpc::StatusCode>(i + 1);
    EXPECT_EQ(ConnectCode(code), expected[i].first);
    EXPECT_EQ(HttpStatusOf(code), expected[i].second) << expected[i].first;
  }
}

TEST(ConnectErrorTest, CarriesDetailsForProgramsAndForPeople) {
  const json::object error = json::parse(ErrorJson(NotFound())).as_object();
  EXPECT_EQ(error.at("code"), "not_found");
  EXPECT_EQ(error.at("message"), "no such file");
  ASSERT_EQ(error.at("details").as_array().size(), 1u);
  const json::object& detail = error.at("details").as_array()[0].as_object();
  EXPECT_EQ(detail.at("type"), "google.rpc.ErrorInfo");
  EXPECT_EQ(detail.at("debug").at("reason"), "FILE_NOT_FOUND");
  const json::string& value = detail.at("value").as_string();
  std::string bytes;
  ASSERT_TRUE(absl::Base64Unescape({value.data(), value.size()}, &bytes));
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(info.ParseFromString(bytes));
  EXPECT_EQ(info.reason(), "FILE_NOT_FOUND");
}

TEST(ConnectErrorTest, PassesOnDetailsThatItDoesNotKnow) {
  google::rpc::Status details;
  details.add_details()->set_type_url("type.example/foreign.v1.Detail");
  const grpc::Status status(grpc::StatusCode::INTERNAL, "", details.SerializeAsString());
  EXPECT_EQ(ErrorJson(status),
            R"({"code":"internal","details":[{"type":"foreign.v1.Detail","value":""}]})");
}

TEST(ConnectErrorTest, WritesTheEndOfAStream) {
  EXPECT_EQ(EndStreamJson(grpc::Status::OK, {}), "{}");
  EXPECT_EQ(EndStreamJson(grpc::Status::OK, {{"a", "1"}, {"b", "2"}, {"a", "3"}}),
            R"({"metadata":{"a":["1","3"],"b":["2"]}})");
  EXPECT_EQ(json::parse(EndStreamJson(NotFound(), {})).at("error").at("code"), "not_found");
}

// A service may say anything, and JSON is UTF-8.
TEST(ConnectErrorTest, WhatIsNoUtf8IsReplaced) {
  const grpc::Status status(grpc::StatusCode::INTERNAL, "a\xff\xc3(b \xc3\xa4");
  EXPECT_EQ(ErrorJson(status),
            "{\"code\":\"internal\",\"message\":\"a?"
            "?(b \xc3\xa4\"}");
  EXPECT_EQ(EndStreamJson(grpc::Status::OK, {{"x", "\xfe"}}), R"({"metadata":{"x":["?"]}})");
}

}  // namespace
}  // namespace rawgate::gateway
