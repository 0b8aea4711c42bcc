#include "gateway/forwarder.h"

#include "gateway/forwarder_fixture.h"
#include "gateway/raw_http2.h"
#include "gmock/gmock.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"

namespace rawgate::gateway {
namespace {

using echo::v1::ConverseResponse;
using echo::v1::EchoRequest;
using echo::v1::EchoResponse;
using echo::v1::EchoService;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;

TEST_F(ForwarderTest, Unary) {
  std::string answer;
  EXPECT_TRUE(Echo("hello", &answer).ok());
  EXPECT_EQ(answer, "HELLO");
  EXPECT_TRUE(Echo("", &answer).ok());
  EXPECT_EQ(answer, "");
}

TEST_F(ForwarderTest, MetadataTravelsBothWays) {
  grpc::ClientContext context;
  context.AddMetadata("trace-id", "abc");
  context.AddMetadata("trace-id", "def");
  context.AddMetadata("blob-bin", std::string("\x00\x01\xfe", 3));
  ASSERT_TRUE(Echo(context, "x").ok());

  const auto metadata = echo_.metadata();
  EXPECT_EQ(metadata.count("trace-id"), 2U);
  EXPECT_THAT(metadata, Contains(Pair("trace-id", "def")));
  EXPECT_THAT(metadata, Contains(Pair("blob-bin", std::string("\x00\x01\xfe", 3))));
  EXPECT_EQ(metadata.count("user-agent"), 1U);
  EXPECT_EQ(context.GetServerInitialMetadata().count("answered-by"), 1U);
  const auto& trailing = context.GetServerTrailingMetadata();
  const auto cost = trailing.find("cost-bin");
  ASSERT_NE(cost, trailing.end());
  EXPECT_EQ(std::string(cost->second.data(), cost->second.size()), std::string("\x00\xff", 2));
}

TEST_F(ForwarderTest, BackendIsToldWhoTheClientIs) {
  grpc::ClientContext context;
  context.AddMetadata("x-rawgate-peer", "tcp://forged:1");
  context.AddMetadata("x-rawgate-role", "viewer");
  ASSERT_TRUE(Echo(context, "x").ok());
  const auto metadata = echo_.metadata();
  ASSERT_EQ(metadata.count("x-rawgate-peer"), 1U);
  EXPECT_THAT(metadata.find("x-rawgate-peer")->second, StartsWith("tcp://127.0.0.1:"));
  ASSERT_EQ(metadata.count("x-rawgate-role"), 1U);
  EXPECT_EQ(metadata.find("x-rawgate-role")->second, "admin");
}

TEST_F(ForwarderTest, StatusTravelsWithDetailsAndTrailers) {
  grpc::ClientContext context;
  const grpc::Status status = Echo(context, "fail");
  const grpc::Status expected = rpc::ToGrpc(FieldError("payload", "BAD_PAYLOAD", "no \xc3\xa9"));
  EXPECT_EQ(status.error_code(), expected.error_code());
  EXPECT_EQ(status.error_message(), expected.error_message());
  EXPECT_EQ(status.error_details(), expected.error_details());
  EXPECT_EQ(context.GetServerTrailingMetadata().count("failed"), 1U);
  EXPECT_EQ(context.GetServerTrailingMetadata().count("grpc-status-details-bin"), 1U);
}

TEST_F(ForwarderTest, DeadlineReachesTheBackendAndEndsTheCall) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Milliseconds(300)));
  const grpc::Status status = Echo(context, "wait");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_LT(echo_.time_left(), absl::Seconds(10));
  EXPECT_TRUE(Eventually([&] { return echo_.cancelled == 1; }));
}

TEST_F(ForwarderTest, UnaryCallWithoutDeadlineGetsTheCeiling) {
  ASSERT_TRUE(Echo("x").ok());
  EXPECT_LT(echo_.time_left(), absl::Seconds(62));

  TestForwarder strict({{"echo", backend_->address()}}, {.unary_ceiling = absl::Milliseconds(50)});
  grpc::ClientContext context;
  EchoRequest request;
  request.set_payload("wait");
  EchoResponse response;
  const grpc::Status status =
      EchoService::NewStub(strict.Channel())->Echo(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(Reason(status), "DEADLINE_EXCEEDED");
}

TEST_F(ForwarderTest, CancellationReachesTheBackend) {
  grpc::ClientContext context;
  std::thread caller(
      [&] { EXPECT_EQ(Echo(context, "wait").error_code(), grpc::StatusCode::CANCELLED); });
  EXPECT_TRUE(Eventually([&] { return echo_.calls == 1; }));
  context.TryCancel();
  caller.join();
  EXPECT_TRUE(Eventually([&] { return echo_.cancelled == 1; }));
}

// A unary call of any path, without a request's bytes.
grpc::Status Call(const std::shared_ptr<grpc::Channel>& channel, const std::string& path) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  grpc::ByteBuffer request;
  grpc::ByteBuffer response;
  grpc::Status status;
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareUnaryCall(&context, path, request, &queue);
  call->StartCall();
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  EXPECT_TRUE(queue.Next(&tag, &ok));
  return status;
}

TEST_F(ForwarderTest, UnknownMethodsAndServices) {
  const std::string shown = "/rawgate.echo.v1.EchoService/" + std::string(35, 'x');
  for (const std::string& path :
       {std::string("/rawgate.echo.v1.EchoService/Shout"), std::string("/rawgate.none.v1.None/Do"),
        std::string("/rawgate.time.v1.TimeService/GetTime"), std::string("/nonsense"),
        shown + std::string(1000, 'y')}) {
    const grpc::Status status = Call(channel_, path);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << path;
    // At most 64 bytes of it.
    EXPECT_THAT(status.error_message(), Not(HasSubstr(shown + "y")));
  }
}

// Without one it is no request of HTTP's (RFC 9113, section 8.3.1): the call ends, others go on.
TEST_F(ForwarderTest, PathsBeginWithASlash) {
  EXPECT_EQ(Call(channel_, "nonsense").error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_TRUE(Echo("x").ok());
}

TEST_F(ForwarderTest, UnknownMethodHasItsReason) {
  grpc::ClientContext context;
  time::v1::GetTimeRequest request;
  time::v1::GetTimeResponse response;
  const grpc::Status status =
      time::v1::TimeService::NewStub(channel_)->GetTime(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(Reason(status), "UNKNOWN_METHOD");
}

TEST_F(ForwarderTest, UnreachableBackend) {
  backend_->Stop();
  for (int i = 0; i < 3; ++i) {
    const grpc::Status status = Echo("x");
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(Reason(status), "BACKEND_UNREACHABLE");
    EXPECT_THAT(status.error_message(), HasSubstr("echo"));
  }
  grpc::ClientContext context;
  const auto stream = echo_stub_->Converse(&context);
  ConverseResponse response;
  EXPECT_FALSE(stream->Read(&response));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(Reason(status), "BACKEND_UNREACHABLE") << status.error_message();
}

TEST_F(ForwarderTest, BackendComesBack) {
  const int port = backend_->port();
  ASSERT_TRUE(Echo("x").ok());
  backend_.reset();
  ASSERT_FALSE(Echo("x").ok());
  backend_ =
      std::make_unique<TestServer>(std::vector<grpc::Service*>{&echo_, &file_, &chat_}, port);
  ASSERT_TRUE(backend_->ok());
  EXPECT_TRUE(Eventually([&] { return Echo("x").ok(); }));
}

TEST_F(ForwarderTest, MessagesUpToFourMebibytes) {
  // The message's own field header leaves a little less for the payload.
  const std::string fits(rpc::kMessageBytesMax - 16, 'a');
  std::string answer;
  ASSERT_TRUE(Echo(fits, &answer).ok());
  EXPECT_EQ(answer.size(), fits.size());

  const grpc::Status request_too_large = Echo(std::string(rpc::kMessageBytesMax, 'a'));
  EXPECT_EQ(request_too_large.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED)
      << request_too_large.error_message();
  EXPECT_EQ(Reason(request_too_large), "MESSAGE_TOO_LARGE");
  const grpc::Status response_too_large = Echo("huge");
  EXPECT_EQ(response_too_large.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(Reason(response_too_large), "MESSAGE_TOO_LARGE");
}

// gRPC's client would refuse to send such a value, and a service's gRPC may end the connection that
// brings it, with all the other calls on it.
TEST_F(ForwarderTest, IllegalMetadataFromTheWireIsDropped) {
  RawHttp2 client(gateway_.port());
  client.SendSettings();
  client.SendHeaders(1, "/rawgate.echo.v1.EchoService/Echo", {{"odd", "\x01\x80\xff"}});
  client.SendEmptyMessage(1);

  EXPECT_TRUE(Eventually([&] { return echo_.calls == 1; }));
  EXPECT_THAT(echo_.metadata(), Not(Contains(Key("odd"))));
  EXPECT_TRUE(Echo("still alive").ok());
}

TEST_F(ForwarderTest, FatAnswerDoesNotEndTheSharedConnection) {
  grpc::ClientContext shared;
  const auto stream = echo_stub_->Converse(&shared);
  stream->WaitForInitialMetadata();

  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, rpc::kBackendMetadataBytesMax);
  const auto channel =
      grpc::CreateCustomChannel(gateway_.address(), grpc::InsecureChannelCredentials(), arguments);
  grpc::ClientContext context;
  EchoRequest request;
  request.set_payload("fat");
  EchoResponse response;
  const grpc::Status status = EchoService::NewStub(channel)->Echo(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(context.GetServerTrailingMetadata().count("fat-bin"), 1U);

  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

}  // namespace
}  // namespace rawgate::gateway
