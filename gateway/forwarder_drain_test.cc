#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "gateway/forwarder_fixture.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"

namespace rawgate::gateway {
namespace {

using echo::v1::ConverseRequest;
using echo::v1::ConverseResponse;
using echo::v1::EchoRequest;
using echo::v1::EchoResponse;
using echo::v1::EchoService;

using ForwarderDrainTest = ForwarderTest;

TEST_F(ForwarderDrainTest, CallsBeyondTheLimitAreRefused) {
  TestForwarder small({{"echo", backend_->address()}}, {.lanes = 1, .calls_max = 1});
  const auto stub = EchoService::NewStub(small.Channel());
  grpc::ClientContext holding;
  const auto stream = stub->Converse(&holding);
  stream->WaitForInitialMetadata();

  grpc::ClientContext context;
  EchoResponse response;
  const grpc::Status status = stub->Echo(&context, {}, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(Reason(status), "TOO_MANY_CALLS");
  EXPECT_TRUE(RetryAfterOf(rpc::FromGrpc(status)).has_value());
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(ForwarderDrainTest, CallsOfTheGatewaysOwnServicesAreCountedApart) {
  TestForwarder small({{"echo", backend_->address()}},
                      {.calls_max = 1, .calls_of_own_service_max = 1});
  const auto reflection = grpc::reflection::v1::ServerReflection::NewStub(small.Channel());
  grpc::reflection::v1::ServerReflectionRequest request;
  grpc::reflection::v1::ServerReflectionResponse response;
  request.set_list_services("");
  grpc::ClientContext holding;
  const auto stream = reflection->ServerReflectionInfo(&holding);
  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(stream->Read(&response));

  grpc::ClientContext refused;
  const grpc::Status status = reflection->ServerReflectionInfo(&refused)->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
  EXPECT_EQ(Reason(status), "TOO_MANY_CALLS");
  grpc::ClientContext context;
  EchoResponse answer;
  EXPECT_TRUE(EchoService::NewStub(small.Channel())->Echo(&context, {}, &answer).ok());
  // Of each apart.
  grpc::ClientContext asking;
  grpc::ByteBuffer health;
  grpc::Status asked;
  grpc::CompletionQueue queue;
  grpc::GenericStub stub(small.Channel());
  const grpc::Slice nothing;
  const auto call = stub.PrepareUnaryCall(&asking, "/grpc.health.v1.Health/Check",
                                          grpc::ByteBuffer(&nothing, 1), &queue);
  call->StartCall();
  call->Finish(&health, &asked, nullptr);
  void* tag = nullptr;
  bool ok = false;
  EXPECT_TRUE(queue.Next(&tag, &ok));
  EXPECT_TRUE(asked.ok()) << asked.error_message();
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(ForwarderDrainTest, DrainRefusesNewCallsEndsWatchesAndWaitsForTheRest) {
  grpc::ClientContext watch_context;
  const auto watch = chat_stub_->WatchMessages(&watch_context, {});
  chat::v1::WatchMessagesResponse message;
  ASSERT_TRUE(watch->Read(&message));
  grpc::ClientContext stream_context;
  const auto stream = echo_stub_->Converse(&stream_context);
  stream->WaitForInitialMetadata();

  gateway_.drain().Begin();
  gateway_.forwarder().EndWatches();

  EXPECT_FALSE(watch->Read(&message));
  const grpc::Status ended = watch->Finish();
  EXPECT_EQ(ended.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Reason(ended), "DRAINING");
  EXPECT_TRUE(RetryAfterOf(rpc::FromGrpc(ended)).has_value());
  const grpc::Status refused = Echo("x");
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Reason(refused), "DRAINING");

  EXPECT_FALSE(gateway_.drain().WaitUntilIdle(absl::ZeroDuration()));
  ConverseRequest request;
  request.set_payload("still here");
  ConverseResponse response;
  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(stream->Read(&response));
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_TRUE(gateway_.drain().WaitUntilIdle(absl::Seconds(10)));
}

TEST_F(ForwarderDrainTest, CallsThatOutstayTheGraceAreEnded) {
  grpc::ClientContext context;
  const auto stream = echo_stub_->Converse(&context);
  stream->WaitForInitialMetadata();
  gateway_.drain().Begin();
  gateway_.forwarder().EndWatches();
  gateway_.forwarder().EndAll();
  ConverseResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(Reason(stream->Finish()), "DRAINING");
}

TEST_F(ForwarderDrainTest, StopCancelsWhatIsLeft) {
  grpc::ClientContext context;
  std::thread caller([&] { EXPECT_FALSE(Echo(context, "wait").ok()); });
  EXPECT_TRUE(Eventually([&] { return echo_.calls == 1; }));
  gateway_.Stop();
  caller.join();
  EXPECT_EQ(gateway_.drain().calls(), 0);
}

// One call of the kind that `kind` says, to its end, however it ends.
void CallOnce(int kind, grpc::ClientContext& context, EchoService::Stub& echo,
              file::v1::FileService::Stub& file) {
  if (kind == 0) {
    EchoRequest request;
    EchoResponse response;
    echo.Echo(&context, request, &response);
  } else if (kind == 1) {
    const auto stream = echo.Converse(&context);
    ConverseRequest request;
    ConverseResponse response;
    for (int i = 0; i < 10; ++i) {
      const bool answered = i % 2 == 0;
      request.set_payload(answered ? "x" : "drop");
      if (!stream->Write(request)) break;
      if (answered && !stream->Read(&response)) break;
    }
    stream->WritesDone();
    stream->Finish();
  } else {
    file::v1::DownloadRequest request;
    request.set_length(20);
    const auto reader = file.Download(&context, request);
    file::v1::DownloadResponse response;
    while (reader->Read(&response)) {
    }
    reader->Finish();
  }
}

// Every kind of call at once, a third of them cancelled at a random moment: nothing may be left,
// nothing may be touched after it is gone (the sanitizer builds look for that).
TEST_F(ForwarderDrainTest, HundredsOfCallsWithRandomCancellation) {
  constexpr int kThreads = 16;
  constexpr int kCallsEach = 60;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::minstd_rand random(static_cast<unsigned>(t));
      for (int i = 0; i < kCallsEach; ++i) {
        grpc::ClientContext context;
        std::thread canceller;
        if (random() % 3 == 0) {
          const absl::Duration delay = absl::Microseconds(random() % 3000);
          canceller = std::thread([&context, delay] {
            absl::SleepFor(delay);
            context.TryCancel();
          });
        } else if (random() % 8 == 0) {
          context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Milliseconds(2)));
        }
        CallOnce(t % 3, context, *echo_stub_, *file_stub_);
        if (canceller.joinable()) canceller.join();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(Eventually([&] { return gateway_.drain().calls() == 0; }));
  std::string answer;
  EXPECT_TRUE(Echo("after", &answer).ok());
  EXPECT_EQ(answer, "AFTER");
}

// Stopping while calls come and go: the most delicate moment of a completion queue.
TEST_F(ForwarderDrainTest, StopUnderLoad) {
  for (int round = 0; round < 10; ++round) {
    TestForwarder forwarder({{"echo", backend_->address()}});
    const auto stub = EchoService::NewStub(forwarder.Channel());
    std::atomic<bool> stop = false;
    std::atomic<int> served = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&] {
        while (!stop) {
          grpc::ClientContext context;
          EchoRequest request;
          request.set_payload("x");
          EchoResponse response;
          if (stub->Echo(&context, request, &response).ok()) ++served;
        }
      });
    }
    EXPECT_TRUE(Eventually([&] { return served > 20; }));
    forwarder.Stop();
    stop = true;
    for (std::thread& thread : threads) thread.join();
  }
}

}  // namespace
}  // namespace rawgate::gateway
