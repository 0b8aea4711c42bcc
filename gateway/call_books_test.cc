#include "gateway/call_books.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "gateway/forwarder_fixture.h"
#include "gmock/gmock.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"
#include "runtime/base/log.h"

namespace rawgate::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kTraceparent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr char kEcho[] =
    "{grpc_type=\"unary\",grpc_service=\"rawgate.echo.v1.EchoService\",grpc_method=\"Echo\"";
constexpr char kConverse[] =
    "{grpc_type=\"bidi_stream\",grpc_service=\"rawgate.echo.v1.EchoService\","
    "grpc_method=\"Converse\"";
constexpr char kUnknown[] =
    "{grpc_type=\"unknown\",grpc_service=\"unknown\",grpc_method=\"unknown\"";

class CallBooksTest : public ForwarderTest {
 protected:
  static std::string Text(const CallBooks& books) {
    metrics::Page page;
    books.AddTo(page);
    return page.ToText();
  }
  std::string Text() { return Text(gateway_.books()); }

  // An empty request of any method.
  static grpc::Status Call(const std::shared_ptr<grpc::Channel>& channel, const std::string& path) {
    grpc::GenericStub stub(channel);
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    grpc::ByteBuffer response;
    grpc::Status status;
    const auto call = stub.PrepareUnaryCall(&context, path, grpc::ByteBuffer(), &queue);
    call->StartCall();
    call->Finish(&response, &status, &queue);
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok));
    return status;
  }
};

TEST_F(CallBooksTest, UnaryCallsAreCountedBeforeTheClientHasItsAnswer) {
  for (int i = 1; i <= 20; ++i) {
    ASSERT_TRUE(Echo("x").ok());
    ASSERT_THAT(Text(), HasSubstr(absl::StrCat("grpc_server_handled_total", kEcho,
                                               ",grpc_code=\"OK\"} ", i, "\n")));
  }
  EXPECT_FALSE(Echo("fail").ok());
  const std::string text = Text();
  EXPECT_THAT(text, HasSubstr(absl::StrCat("grpc_server_started_total", kEcho, "} 21\n")));
  EXPECT_THAT(text, HasSubstr(absl::StrCat("grpc_server_handled_total", kEcho,
                                           ",grpc_code=\"InvalidArgument\"} 1\n")));
  EXPECT_THAT(text, HasSubstr(absl::StrCat("grpc_server_msg_received_total", kEcho, "} 21\n")));
  EXPECT_THAT(text, HasSubstr(absl::StrCat("grpc_server_msg_sent_total", kEcho, "} 20\n")));
  EXPECT_THAT(text, HasSubstr(absl::StrCat("grpc_server_handling_seconds_count", kEcho, "} 21\n")));
}

TEST_F(CallBooksTest, MessagesOfStreams) {
  grpc::ClientContext context;
  const auto stream = echo_stub_->Converse(&context);
  echo::v1::ConverseRequest request;
  echo::v1::ConverseResponse response;
  for (int i = 0; i < 5; ++i) {
    request.set_payload(i < 2 ? "drop" : "x");
    ASSERT_TRUE(stream->Write(request));
    if (i < 2) continue;
    ASSERT_TRUE(stream->Read(&response));
  }
  EXPECT_THAT(Text(), HasSubstr(absl::StrCat("grpc_server_started_total", kConverse, "} 1\n")));
  stream->WritesDone();
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
  const std::string text = Text();
  EXPECT_THAT(text, HasSubstr(absl::StrCat("grpc_server_msg_received_total", kConverse, "} 5\n")));
  EXPECT_THAT(text, HasSubstr(absl::StrCat("grpc_server_msg_sent_total", kConverse, "} 3\n")));
  EXPECT_THAT(text, HasSubstr(absl::StrCat("grpc_server_handled_total", kConverse,
                                           ",grpc_code=\"OK\"} 1\n")));
}

TEST_F(CallBooksTest, CallsThatTheirClientGaveUp) {
  grpc::ClientContext context;
  std::thread caller([&] { EXPECT_FALSE(Echo(context, "wait").ok()); });
  EXPECT_TRUE(Eventually([&] { return echo_.calls == 1; }));
  context.TryCancel();
  caller.join();
  EXPECT_TRUE(Eventually([&] {
    return absl::StrContains(
        Text(), absl::StrCat("grpc_server_handled_total", kEcho, ",grpc_code=\"Canceled\"} 1\n"));
  }));
}

TEST_F(CallBooksTest, NoNameThatAClientMakesUpIsALabel) {
  const auto series = [&] {
    const std::string text = Text();
    return std::count(text.begin(), text.end(), '\n');
  };
  EXPECT_FALSE(Call(channel_, "/nobody/At").ok());
  const auto before = series();
  for (int i = 0; i < 200; ++i) {
    EXPECT_FALSE(Call(channel_, absl::StrCat("/made.up", i, "/Method\"}1")).ok());
    EXPECT_FALSE(Call(channel_, absl::StrCat("/rawgate.echo.v1.EchoService/Echo", i)).ok());
  }
  EXPECT_EQ(series(), before);
  const std::string text = Text();
  EXPECT_THAT(text, Not(HasSubstr("made.up")));
  EXPECT_THAT(text, HasSubstr(absl::StrCat("grpc_server_handled_total", kUnknown,
                                           ",grpc_code=\"Unimplemented\"} 401\n")));
  EXPECT_THAT(text,
              HasSubstr("rawgate_gateway_refused_calls_total{reason=\"UNKNOWN_METHOD\"} 401\n"));
}

TEST_F(CallBooksTest, RefusalsByReason) {
  TestForwarder small({{"echo", backend_->address()}}, {.lanes = 1, .calls_max = 0});
  EXPECT_EQ(Call(small.Channel(), "/rawgate.echo.v1.EchoService/Echo").error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(Text(small.books()),
              HasSubstr("rawgate_gateway_refused_calls_total{reason=\"TOO_MANY_CALLS\"} 1\n"));
  EXPECT_THAT(Text(small.books()),
              HasSubstr("rawgate_gateway_refused_calls_total{reason=\"DRAINING\"} 0\n"));
  small.drain().Begin();
  EXPECT_FALSE(Call(small.Channel(), "/rawgate.echo.v1.EchoService/Echo").ok());
  EXPECT_THAT(Text(small.books()),
              HasSubstr("rawgate_gateway_refused_calls_total{reason=\"DRAINING\"} 1\n"));
}

TEST_F(CallBooksTest, EachCallIsALineOfTheLog) {
  ASSERT_TRUE(StartLogging("rawgate-x", "debug", LogFormat::kJson));
  ::testing::internal::CaptureStderr();
  grpc::ClientContext context;
  context.AddMetadata("traceparent", kTraceparent);
  EXPECT_FALSE(Echo(context, "fail").ok());
  Call(channel_, "/no\"such/One");
  const std::string lines = ::testing::internal::GetCapturedStderr();
  StartLogging("test", "info", LogFormat::kText);
  EXPECT_THAT(lines, HasSubstr("\"message\":\"call\","
                               "\"method\":\"/rawgate.echo.v1.EchoService/Echo\","
                               "\"code\":\"INVALID_ARGUMENT\",\"duration_ms\":"));
  EXPECT_THAT(lines, HasSubstr("\"peer\":\"tcp://127.0.0.1:"));
  EXPECT_THAT(lines, HasSubstr(absl::StrCat("\"traceparent\":\"", kTraceparent, "\"}\n")));
  EXPECT_THAT(lines, HasSubstr("\"method\":\"/no\\\"such/One\",\"code\":\"UNIMPLEMENTED\""));
  // The service has it as well, as it came.
  const auto metadata = echo_.metadata();
  ASSERT_EQ(metadata.count("traceparent"), 1U);
  EXPECT_EQ(metadata.find("traceparent")->second, kTraceparent);
}

}  // namespace
}  // namespace rawgate::gateway
