// Calls that wait for their client take places, so they do not wait for ever.
#include "gateway/forwarder_fixture.h"
#include "gateway/raw_http2.h"
#include "gtest/gtest.h"

namespace rawgate::gateway {
namespace {

constexpr char kUnary[] = "/rawgate.echo.v1.EchoService/Echo";
constexpr char kStream[] = "/rawgate.echo.v1.EchoService/Converse";

class ForwarderTurnsTest : public ForwarderTest {
 protected:
  // True once a call finds a place. With one place there is none before the last call is gone.
  bool PlaceIsFree() {
    return Eventually([&] {
      grpc::ClientContext context;
      echo::v1::EchoResponse response;
      return stub_->Echo(&context, {}, &response).ok();
    });
  }

  // A call of `method` that consists of headers and nothing else, to its end.
  grpc::Status CallWithoutRequest(const char* method) {
    grpc::GenericStub stub(strict_.Channel());
    grpc::CompletionQueue queue;
    grpc::ClientContext context;
    // gRPC would see to this one by itself, if only it came first.
    context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Hours(1)));
    const auto call = stub.PrepareCall(&context, method, &queue);
    void* tag = nullptr;
    bool ok = false;
    call->StartCall(nullptr);
    EXPECT_TRUE(queue.Next(&tag, &ok));
    grpc::Status status;
    call->Finish(&status, nullptr);
    EXPECT_TRUE(queue.Next(&tag, &ok));
    return status;
  }

  TestForwarder strict_{{{"echo", backend_->address()}},
                        {.calls_max = 1, .unary_ceiling = absl::Milliseconds(50)}};
  std::unique_ptr<echo::v1::EchoService::Stub> stub_ =
      echo::v1::EchoService::NewStub(strict_.Channel());
};

TEST_F(ForwarderTurnsTest, CallWhoseRequestDoesNotComeGivesItsPlaceBack) {
  for (const char* method : {kUnary, kStream}) {
    const grpc::Status status = CallWithoutRequest(method);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED) << status.error_message();
    EXPECT_EQ(Reason(status), "DEADLINE_EXCEEDED");
    EXPECT_FALSE(status.error_details().empty()) << method;
    EXPECT_TRUE(PlaceIsFree()) << method;
  }
}

TEST_F(ForwarderTurnsTest, CallWhoseAnswerIsNotTakenGivesItsPlaceBack) {
  RawHttp2 client(strict_.port());
  client.SendSettings(/*no_window=*/true);
  client.SendHeaders(1, kUnary);
  client.SendEmptyMessage(1);
  EXPECT_TRUE(Eventually([&] { return echo_.calls == 1; }));
  EXPECT_TRUE(PlaceIsFree());
}

TEST_F(ForwarderTurnsTest, StreamThatHasBegunMayWait) {
  grpc::ClientContext context;
  const auto stream = stub_->Converse(&context);
  echo::v1::ConverseRequest request;
  echo::v1::ConverseResponse response;
  request.set_payload("first");
  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(stream->Read(&response));
  // The ceiling passes for another one.
  EXPECT_EQ(Reason(CallWithoutRequest(kUnary)), "TOO_MANY_CALLS");
  request.set_payload("second");
  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.payload(), "SECOND");
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(ForwarderTurnsTest, DrainEndsCallsWhoseRequestIsAwaited) {
  grpc::GenericStub stub(channel_);
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  const auto call = stub.PrepareCall(&context, kUnary, &queue);
  void* tag = nullptr;
  bool ok = false;
  call->StartCall(nullptr);
  ASSERT_TRUE(queue.Next(&tag, &ok));
  EXPECT_TRUE(Eventually([&] { return gateway_.drain().calls() == 1; }));
  gateway_.drain().Begin();
  gateway_.forwarder().EndAll();
  grpc::Status status;
  call->Finish(&status, nullptr);
  ASSERT_TRUE(queue.Next(&tag, &ok));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
  EXPECT_EQ(Reason(status), "DRAINING");
  EXPECT_TRUE(RetryAfterOf(rpc::FromGrpc(status)).has_value());
}

}  // namespace
}  // namespace rawgate::gateway
