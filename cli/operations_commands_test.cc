// rawgate echo, date.
#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include <cctype>
#include <string>

#include "cli/command_testing.h"
#include "cli/proto_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rawgate/echo/v1/echo_service.grpc.pb.h"
#include "rawgate/time/v1/time_service.grpc.pb.h"
#include "runtime/base/fd.h"
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

// What a command shows to somebody who sits at a terminal, with no more than the terminal takes at
// once.
std::string Shown(const FakeGateway& gateway, std::vector<std::string> words,
                  const std::string& input = {}) {
  int user = -1;
  int program = -1;
  if (::openpty(&user, &program, nullptr, nullptr, nullptr) != 0) return "no terminal";
  const Fd user_side(user);
  const Fd program_side(program);
  termios mode{};
  ::tcgetattr(program, &mode);
  // Output as it was written: no carriage return before a newline.
  mode.c_oflag &= ~static_cast<tcflag_t>(OPOST);
  ::tcsetattr(program, TCSANOW, &mode);
  const MemoryFile in(input);
  Console console(in.fd(), program, program);
  Interrupt interrupt;
  words.insert(words.begin(), {"--gateway", gateway.target()});
  RunCommandLine(words, console, interrupt);
  // A terminal passes bytes on in its own time, but in order.
  console.Out("\x1e").IgnoreError();
  std::string shown;
  for (char byte = 0; byte != '\x1e' && ::read(user, &byte, 1) == 1;) shown += byte;
  return shown.substr(0, shown.size() - 1);
}

TEST(EchoCommand, DoesNotLetTextActOnATerminal) {
  FakeEcho echo;
  const FakeGateway gateway({&echo});
  EXPECT_EQ(Shown(gateway, {"echo", "a\x1b[2J\xff"}), "A\\x1b[2J\\xff\n");
  EXPECT_EQ(gateway.Run({"echo", "a\x1b[2J\xff"}).out, "A\x1b[2J\xff\n");
  EXPECT_EQ(Shown(gateway, {"echo"}, "one\n\x1b[2J\xe4\xbd\xa0\xe4"),
            "ONE\n\\x1b[2J\xe4\xbd\xa0\\xe4");
}

class FakeTime final : public time::v1::TimeService::Service {
 public:
  grpc::Status GetTime(grpc::ServerContext*, const time::v1::GetTimeRequest* request,
                       time::v1::GetTimeResponse* response) override {
    last_request = *request;
    response->set_formatted(formatted);
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
  std::string formatted = "14:03";
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

TEST(DateCommand, DoesNotLetTextActOnATerminal) {
  FakeTime time;
  time.formatted = "\x1b[2J\n14:03";
  const FakeGateway gateway({&time});
  EXPECT_EQ(Shown(gateway, {"date"}), "\\x1b[2J\n14:03\n");
  EXPECT_EQ(gateway.Run({"date"}).out, "\x1b[2J\n14:03\n");
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
