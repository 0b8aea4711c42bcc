// rawgate echo, date.
#include <cctype>
#include <string>

#include "cli/command_testing.h"
#include "cli/proto_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rawgate/echo/v1/echo_service.grpc.pb.h"
#include "rawgate/time/v1/time_service.grpc.pb.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::cli {
namespace {

using testing::HasSubstr;

std::string Upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(c));
  return text;
}

class FakeEcho final : public echo::v1::EchoService::Service {
 public:
  grpc::Status Echo(grpc::ServerContext*, const echo::v1::EchoRequest* request,
                    echo::v1::EchoResponse* response) override {
    transform = request->transform();
    response->set_payload(Upper(request->payload()));
    return grpc::Status::OK;
  }
  grpc::Status Converse(grpc::ServerContext*,
                        grpc::ServerReaderWriter<echo::v1::ConverseResponse,
                                                 echo::v1::ConverseRequest>* stream) override {
    echo::v1::ConverseRequest request;
    while (stream->Read(&request)) {
      echo::v1::ConverseResponse response;
      response.set_payload(Upper(request.payload()));
      stream->Write(response);
      if (stop_after_first) {
        return rpc::ToGrpc(Error(absl::StatusCode::kFailedPrecondition, "SERVICE_STOPPED",
                                 "service echo is stopped"));
      }
    }
    return grpc::Status::OK;
  }

  echo::v1::Transform transform = echo::v1::TRANSFORM_UNSPECIFIED;
  bool stop_after_first = false;
};

TEST(EchoCommand, EchoesWords) {
  FakeEcho echo;
  const FakeGateway gateway({&echo});
  EXPECT_EQ(gateway.Run({"echo", "hello"}).out, "HELLO\n");
  EXPECT_EQ(gateway.Run({"echo", "two", "words"}).out, "TWO WORDS\n");
  EXPECT_EQ(gateway.Run({"echo", "--", "-n", "[a,b]"}).out, "-N [A,B]\n");
  EXPECT_EQ(echo.transform, echo::v1::TRANSFORM_UNSPECIFIED);
  gateway.Run({"echo", "--transform", "identity", "x"});
  EXPECT_EQ(echo.transform, echo::v1::TRANSFORM_IDENTITY);
}

TEST(EchoCommand, EchoesStandardInputOfAnyLength) {
  FakeEcho echo;
  const FakeGateway gateway({&echo});
  const std::string input(3'000'000, 'x');
  const CliResult result = gateway.Run({"echo"}, input);
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.out, Upper(input));
  EXPECT_EQ(gateway.Run({"echo"}).out, "");
}

TEST(EchoCommand, TellsWhyTheConversationEnded) {
  FakeEcho echo;
  echo.stop_after_first = true;
  const FakeGateway gateway({&echo});
  const CliResult result = gateway.Run({"echo"}, std::string(300'000, 'x'));
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.error,
            "rawgate echo: service echo is stopped. 'rawgate start' brings it back.\n");
}

class FakeTime final : public time::v1::TimeService::Service {
 public:
  grpc::Status GetTime(grpc::ServerContext*, const time::v1::GetTimeRequest* request,
                       time::v1::GetTimeResponse* response) override {
    last_request = *request;
    response->set_formatted("14:03");
    response->set_time_zone("Asia/Kolkata");
    response->set_utc_offset_seconds(19800);
    response->set_synchronization(time::v1::CLOCK_SYNCHRONIZATION_SYNCHRONIZED);
    response->mutable_uptime()->set_seconds(7500);
    *response->mutable_client_send_time() = request->client_send_time();
    // A clock that is one hour ahead, and no time spent.
    const absl::Time ahead = ToTime(request->client_send_time()) + absl::Hours(1);
    *response->mutable_server_receive_time() = ToProto(ahead);
    *response->mutable_server_send_time() = ToProto(ahead);
    return grpc::Status::OK;
  }
  time::v1::GetTimeRequest last_request;
};

TEST(DateCommand, PassesFormatAndZone) {
  FakeTime time;
  const FakeGateway gateway({&time});
  EXPECT_EQ(gateway.Run({"date", "%H:%M", "--zone", "Asia/Kolkata"}).out, "14:03\n");
  EXPECT_EQ(time.last_request.format(), "%H:%M");
  EXPECT_EQ(time.last_request.time_zone(), "Asia/Kolkata");
  gateway.Run({"date", "+%s"});
  EXPECT_EQ(time.last_request.format(), "%s");
  gateway.Run({"date"});
  EXPECT_EQ(time.last_request.format(), "");
}

TEST(DateCommand, ShowsDetails) {
  FakeTime time;
  const FakeGateway gateway({&time});
  const std::string out = gateway.Run({"date", "-v"}).out;
  EXPECT_THAT(out, HasSubstr("zone          Asia/Kolkata (UTC+05:30)\n"));
  EXPECT_THAT(out, HasSubstr("clock source  -\n"));
  EXPECT_THAT(out, HasSubstr("synchronised  yes\n"));
  EXPECT_THAT(out, HasSubstr("uptime        2h5m\n"));
  // An hour less half of the round trip.
  EXPECT_THAT(
      out, testing::ContainsRegex("offset        [+]3(599|600)[.][0-9]+ s .its clock less ours"));
}

}  // namespace
}  // namespace rawgate::cli
