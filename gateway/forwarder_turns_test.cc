// Calls that wait for their client take places, so they do not wait for ever.
#include "gateway/forwarder_fixture.h"
#include "gateway/raw_http2.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"

namespace rawgate::gateway {
namespace {

// Passes in each of these tests, and is long for a client that does bring its request.
constexpr absl::Duration kCeiling = absl::Seconds(1);
constexpr char kUnary[] = "/rawgate.echo.v1.EchoService/Echo";
constexpr char kStream[] = "/rawgate.echo.v1.EchoService/Converse";

class ForwarderTurnsTest : public ForwarderTest {
 protected:
  // True once a call finds a place, and has given it back, which may be after its answer. With one
  // place there is none before the last call is gone.
  bool PlaceIsFree() {
    const bool found = Eventually([&] {
      grpc::ClientContext context;
      echo::v1::EchoResponse response;
      return stub_->Echo(&context, {}, &response).ok();
    });
    return found && Eventually([&] { return strict_.drain().calls() == 0; });
  }

  // A call of `method` that consists of headers and nothing else, to its end.
  static grpc::Status CallWithoutRequest(const TestForwarder& forwarder, const char* method) {
    grpc::GenericStub stub(forwarder.Channel());
    grpc::CompletionQueue queue;
    grpc::ClientContext context;
    // A deadline of its own does not give a client more time; when it is what ends the call there
    // are no details.
    context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Minutes(1)));
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
                        {.calls_max = 1, .unary_ceiling = kCeiling}};
  std::unique_ptr<echo::v1::EchoService::Stub> stub_ =
      echo::v1::EchoService::NewStub(strict_.Channel());
};

TEST_F(ForwarderTurnsTest, CallWhoseRequestDoesNotComeGivesItsPlaceBack) {
  for (const char* method : {kUnary, kStream}) {
    const grpc::Status status = CallWithoutRequest(strict_, method);
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

TEST_F(ForwarderTurnsTest, StreamWhoseAnswersAreNotTakenGivesItsPlaceBack) {
  RawHttp2 client(strict_.port());
  client.SendSettings(/*no_window=*/true);
  client.SendHeaders(1, kStream);
  client.SendEmptyMessage(1);
  EXPECT_TRUE(Eventually([&] { return echo_.calls == 1; }));
  EXPECT_TRUE(PlaceIsFree());
}

// What ends the call first does not give its client more time.
TEST_F(ForwarderTurnsTest, SoDoesOneThatItsDeadlineEndsMeanwhile) {
  RawHttp2 client(strict_.port());
  client.SendSettings(/*no_window=*/true);
  client.SendHeaders(1, kStream, {{"grpc-timeout", "300m"}});
  client.SendEmptyMessage(1, /*end=*/false);
  EXPECT_TRUE(Eventually([&] { return echo_.calls == 1; }));
  EXPECT_TRUE(PlaceIsFree());
}

TEST_F(ForwarderTurnsTest, StreamThatHasBegunMayWait) {
  TestForwarder forwarder({{"echo", backend_->address()}}, {.unary_ceiling = kCeiling});
  const auto stub = echo::v1::EchoService::NewStub(forwarder.Channel());
  grpc::ClientContext context;
  const auto stream = stub->Converse(&context);
  echo::v1::ConverseRequest request;
  echo::v1::ConverseResponse response;
  request.set_payload("first");
  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(stream->Read(&response));
  // Begun later, and ended by the ceiling: so that has passed for the stream as well.
  EXPECT_EQ(Reason(CallWithoutRequest(forwarder, kStream)), "DEADLINE_EXCEEDED");
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
