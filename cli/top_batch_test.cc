#include "cli/top_batch.h"

#include "boost/json.hpp"
#include "cli/top_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(TopBatch, Text) {
  const std::string text = TopText(TopTwoSamples(), {});
  EXPECT_EQ(text.substr(text.find('\n') + 1), R"()");
}

TEST(TopBatch, Plain) {
  TopOrder order;
  order.filter = "8080";
  EXPECT_EQ(TopPlainText(TopTwoSamples(), order), "");
}

TEST(TopBatch, Json) {
  const auto json = boost::json::parse(TopJsonLine(TopTwoSamples(), {})).as_object();
  EXPECT_EQ(json.at("time").as_string(), "2025-11-23T14:03:22.000Z");
  const auto& services = json.at("services").as_array();
  ASSERT_EQ(services.size(), 3u);
  const auto& echo = services[0].as_object();
  EXPECT_EQ(echo.at("name").as_string(), "echo");
  EXPECT_EQ(echo.at("instance").as_string(), "3f9a1c2b");
  EXPECT_EQ(echo.at("requestsPerSecond").as_double(), 40);
  const auto& listeners = echo.at("listeners").as_array();
  ASSERT_EQ(listeners.size(), 2u);
  EXPECT_EQ(listeners[0].as_object().at("bytesReceivedPerSecond").as_double(), 4000);
  EXPECT_EQ(listeners[1].as_object().at("state").as_string(), "failed");
  EXPECT_THAT(std::string(listeners[1].as_object().at("lastError").as_string()),
              StartsWith("bind "));
}

TEST(TopBatch, JsonBeforeTheSecondSample) {
  TopData data;
  control::v1::ListServicesResponse services = TopServices(1);
  services.mutable_services(1)->mutable_listeners(0)->mutable_faults()->set_fail_first(3);
  data.Take(kTopBegin, services);
  TopOrder order;
  order.filter = "time/udp";
  const std::string line = TopJsonLine(data, order);
  EXPECT_THAT(line, HasSubstr("\"requestsPerSecond\":null"));
  EXPECT_THAT(line, HasSubstr("\"failFirst\":3"));
  const auto json = boost::json::parse(line).as_object();
  ASSERT_EQ(json.at("services").as_array().size(), 1u) << "that of the listener";
}

}  // namespace
}  // namespace rawgate::cli
