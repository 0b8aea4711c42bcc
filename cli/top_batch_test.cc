#include "cli/top_batch.h"

#include <cstdint>
#include <limits>

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
  EXPECT_EQ(
      text.substr(text.find('\n') + 1),
      R"(NAME      STATE        SINCE  OPEN  REQ/S  ERR/S  IN/S  OUT/S  DROPS  REQUESTS   IN  OUT  ADDRESS
echo      failed        5m1s     3     40      0  3.9K   7.8K      0       140  14K  27K
echo/tcp  running                3     40      0  3.9K   7.8K      0       140  14K  27K  tcp://127.0.0.1:8080
echo/udp  failed                 0      0      0     0      0      0         0    0    0  udp://127.0.0.1:8080
time      running                0      0      0     0      0     12         0    0    0
time/udp  running                0      0      0     0      0     12         0    0    0  udp://127.0.0.1:9000
file      unreachable            0      0      0     0      0      0         0    0    0
file/tcp  unknown                0      0      0     0      0      0         0    0    0  tcp://127.0.0.1:8081

)");
}

TEST(TopBatch, TextFitsATerminal) {
  const std::string text = TopText(TopTwoSamples(), {}, 80);
  EXPECT_EQ(text.substr(text.find('\n') + 1),
            R"(NAME      STATE        OPEN  REQ/S  ERR/S   IN/S  OUT/S  DROPS  ADDRESS
echo      failed          3     40      0   3.9K   7.8K      0
echo/tcp  running         3     40      0   3.9K   7.8K      0  127.0.0.1:8080
echo/udp  failed          0      0      0      0      0      0  127.0.0.1:8080
time      running         0      0      0      0      0     12
time/udp  running         0      0      0      0      0     12  127.0.0.1:9000
file      unreachable     0      0      0      0      0      0
file/tcp  unknown         0      0      0      0      0      0  127.0.0.1:8081

)");
}

TEST(TopBatch, Plain) {
  TopOrder order;
  order.filter = "8080";
  EXPECT_EQ(
      TopPlainText(TopTwoSamples(), order),
      R"(2025-11-23T14:03:22Z	echo/tcp		running		3	40	0	4000	8000	0	140	14000	28000		tcp://127.0.0.1:8080
2025-11-23T14:03:22Z	echo/udp		failed		0	0	0	0	0	0	0	0	0		udp://127.0.0.1:8080
)");
}

TEST(TopBatch, Json) {
  const auto json = boost::json::parse(TopJsonLine(TopTwoSamples(), {})).as_object();
  EXPECT_EQ(json.at("time").as_string(), "2025-11-23T14:03:22Z");
  const auto& services = json.at("services").as_array();
  ASSERT_EQ(services.size(), 3u);
  const auto& echo = services[0].as_object();
  EXPECT_EQ(echo.at("name").as_string(), "echo");
  EXPECT_EQ(echo.at("instance").as_string(), "3f9a1c2b");
  EXPECT_EQ(echo.at("requestsPerSecond").to_number<double>(), 40);
  const auto& listeners = echo.at("listeners").as_array();
  ASSERT_EQ(listeners.size(), 2u);
  EXPECT_EQ(listeners[0].as_object().at("bytesReceivedPerSecond").to_number<double>(), 4000);
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

TEST(TopBatch, ARateThatIsTooLargeIsTheLargest) {
  TopData data;
  data.Take(kTopBegin, TopServices(0));
  control::v1::ListServicesResponse services = TopServices(1);
  services.mutable_services(0)->mutable_counters()->set_requests(
      std::numeric_limits<uint64_t>::max());
  data.Take(kTopBegin + absl::Seconds(1), services);
  const auto json = boost::json::parse(TopJsonLine(data, {})).as_object();
  const auto& echo = json.at("services").as_array()[0].as_object();
  EXPECT_EQ(echo.at("requestsPerSecond").as_int64(), 9'223'372'036'854'774'784);
}

}  // namespace
}  // namespace rawgate::cli
