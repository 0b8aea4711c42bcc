#include "gateway/http/json_codec.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rawgate/control/v1/control_service.pb.h"
#include "rawgate/echo/v1/echo_service.pb.h"
#include "rawgate/time/v1/time_service.pb.h"
#include "runtime/base/status.h"

namespace rawgate::gateway {
namespace {

using ::testing::HasSubstr;

const auto& kGetTime = *time::v1::GetTimeRequest::descriptor();

std::string Repeated(const char* text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

TEST(JsonCodecTest, GoesBothWays) {
  const auto binary =
      BinaryFromJson(kGetTime, R"({"format":"%H","clientSendTime":"2026-01-02T03:04:05.5Z"})");
  ASSERT_TRUE(binary.ok()) << binary.status();
  time::v1::GetTimeRequest request;
  ASSERT_TRUE(request.ParseFromString(*binary));
  EXPECT_EQ(request.format(), "%H");
  EXPECT_EQ(request.client_send_time().nanos(), 500'000'000);
  EXPECT_EQ(*JsonFromBinary(kGetTime, *binary),
            R"({"format":"%H","clientSendTime":"2026-01-02T03:04:05.500Z"})");
}

TEST(JsonCodecTest, KnowsBytesAndTheNamesOfTheProtos) {
  const auto binary = BinaryFromJson(*echo::v1::EchoRequest::descriptor(), R"({"payload":"aGk="})");
  echo::v1::EchoRequest request;
  ASSERT_TRUE(request.ParseFromString(*binary));
  EXPECT_EQ(request.payload(), "hi");
  EXPECT_TRUE(BinaryFromJson(kGetTime, R"({"time_zone":"UTC"})").ok());
}

TEST(JsonCodecTest, NamesTheMemberThatThereIsNot) {
  const auto binary = BinaryFromJson(kGetTime, R"({"formt":"%H"})");
  EXPECT_EQ(binary.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(binary.status()), "BAD_JSON");
  EXPECT_THAT(std::string(binary.status().message()), HasSubstr("formt"));
}

TEST(JsonCodecTest, RefusesWhatIsNoSuchMessage) {
  for (const char* json :
       {"", " ", "{", "}", "[]", "7", "null", "\"x\"", "{}{}", "{\"format\":7}", "{\"format\":{}}",
        "{'format':", "{\"format\":\"\xff\xfe\"}", "{\"format\":\"\\ud800\"}",
        "{\"clientSendTime\":\"yesterday\"}", "not json"}) {
    const auto binary = BinaryFromJson(kGetTime, json);
    EXPECT_EQ(ReasonOf(binary.status()), "BAD_JSON") << json;
  }
}

TEST(JsonCodecTest, RefusesDeepNesting) {
  for (const char* open : {"[", "{\"a\":", "{\"format\":[", "{\"clientSendTime\":{"}) {
    for (const int depth : {kJsonDepthMax + 1, 10'000, 1'000'000}) {
      EXPECT_EQ(ReasonOf(BinaryFromJson(kGetTime, Repeated(open, depth)).status()), "BAD_JSON");
    }
  }
}

TEST(JsonCodecTest, CountsNoBracketsInText) {
  const auto binary =
      BinaryFromJson(kGetTime, absl::StrCat(R"({"format":"\"\\)", Repeated("[{", 400), "\"}"));
  EXPECT_TRUE(binary.ok()) << binary.status();
}

TEST(JsonCodecTest, SaysLittleOfALongMessage) {
  const auto binary =
      BinaryFromJson(kGetTime, absl::StrCat("{\"", std::string(1 << 20, 'x'), "\":1}"));
  EXPECT_EQ(ReasonOf(binary.status()), "BAD_JSON");
  EXPECT_LT(binary.status().message().size(), 300);
}

TEST(JsonCodecTest, TellsWhatJsonCannotSay) {
  time::v1::GetTimeRequest request;
  request.mutable_client_send_time()->set_seconds(int64_t{1} << 60);
  EXPECT_EQ(ReasonOf(JsonFromBinary(kGetTime, request.SerializeAsString()).status()),
            "BAD_RESPONSE");
}

TEST(JsonCodecTest, WritesNumbersOf64BitsAsText) {
  control::v1::WatchServicesRequest request;
  request.set_after_sequence(uint64_t{1} << 63);
  EXPECT_EQ(*JsonFromBinary(*request.GetDescriptor(), request.SerializeAsString()),
            R"({"afterSequence":"9223372036854775808"})");
}

}  // namespace
}  // namespace rawgate::gateway
