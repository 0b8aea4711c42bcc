#include "runtime/rpc/call_interceptor.h"

#include <atomic>
#include <limits>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "grpcpp/generic/generic_stub.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/rpc/control_test_server.h"
#include "runtime/rpc/role.h"
#include "runtime/rpc/status.h"

namespace rawgate::rpc {
namespace {

using control::v1::ControlService;
using testing::HasSubstr;
using testing::Not;

constexpr char kTraceparent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

// Answers GetService by OK or, for the name "none", NOT_FOUND; its watches have three messages, or
// no end for the first service named "hold".
class Servicer final : public ControlService::CallbackService {
 public:
  grpc::ServerUnaryReactor* GetService(grpc::CallbackServerContext* context,
                                       const control::v1::GetServiceRequest* request,
                                       control::v1::GetServiceResponse*) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(request->service() == "none"
                        ? ToGrpc(Error(absl::StatusCode::kNotFound, "SERVICE_NOT_FOUND", "none"))
                        : grpc::Status::OK);
    return reactor;
  }

  grpc::ServerWriteReactor<control::v1::WatchEventsResponse>* WatchEvents(
      grpc::CallbackServerContext*, const control::v1::WatchEventsRequest* request) override {
    class Watch final : public grpc::ServerWriteReactor<control::v1::WatchEventsResponse> {
     public:
      explicit Watch(bool hold) : hold_(hold) { StartWrite(&message_); }
      void OnWriteDone(bool) override {
        if (++written_ < 3) return StartWrite(&message_);
        if (!hold_) Finish(grpc::Status::OK);
      }
      void OnCancel() override {
        if (hold_) Finish(grpc::Status::CANCELLED);
      }
      void OnDone() override { delete this; }

     private:
      const bool hold_;
      control::v1::WatchEventsResponse message_;
      std::atomic<int> written_ = 0;
    };
    return new Watch(request->services_size() > 0 && request->services(0) == "hold");
  }
};

class CallInterceptorTest : public testing::Test {
 protected:
  CallInterceptorTest() { Serve(); }
  ~CallInterceptorTest() override {
    server_->Shutdown(absl::Now());
    StartLogging("test", "info", LogFormat::kText);
  }

  // Of each method at most `calls_max` at once. A call is one of them until the server has let go
  // of it, which its client is not told: one after another can be several at once.
  void Serve(int64_t calls_max = std::numeric_limits<int64_t>::max()) {
    const CallObservation observation{
        .table = table_,
        .calls_max = calls_max,
        .caller = CallerNamedByGateway,
        .failed = [this](const MethodList::Row&, const grpc::Status& status) {
          reason_ = ReasonOf(FromGrpc(status));
        }};
    server_ = *Server::Start(*net::Endpoint::Parse("tcp://127.0.0.1:0"), {&servicer_}, kBuffersMax,
                             grpc::InsecureServerCredentials(), &observation);
    channel_ = grpc::CreateChannel(GrpcAddress(*net::Endpoint::Parse(server_->uri())),
                                   grpc::InsecureChannelCredentials());
    stub_ = ControlService::NewStub(channel_);
  }

  grpc::Status Get(const std::string& name,
                   const std::vector<std::pair<std::string, std::string>>& metadata = {}) {
    grpc::ClientContext context;
    for (const auto& [key, value] : metadata) context.AddMetadata(key, value);
    control::v1::GetServiceRequest request;
    request.set_service(name);
    control::v1::GetServiceResponse response;
    return stub_->GetService(&context, request, &response);
  }

  // What one call that is logged writes.
  std::string LineOf(const std::vector<std::pair<std::string, std::string>>& metadata) {
    StartLogging("rawgate-x", "debug", LogFormat::kJson);
    testing::internal::CaptureStderr();
    Get("none", metadata);
    return testing::internal::GetCapturedStderr();
  }

  observe::CallCounters& Of(absl::string_view path) { return table_[methods_.Find(path)]; }
  uint64_t Handled(absl::string_view path, absl::StatusCode code) {
    return Of(path).handled[static_cast<size_t>(code)].value();
  }

  const MethodList methods_{LinkedServices()};
  CallTable table_{methods_};
  std::string reason_;
  Servicer servicer_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<ControlService::Stub> stub_;
};

constexpr char kGet[] = "/rawgate.control.v1.ControlService/GetService";
constexpr char kWatch[] = "/rawgate.control.v1.ControlService/WatchEvents";

TEST_F(CallInterceptorTest, UnaryCalls) {
  EXPECT_TRUE(Get("one").ok());
  EXPECT_TRUE(Get("two").ok());
  EXPECT_FALSE(Get("none").ok());
  EXPECT_EQ(Of(kGet).started.value(), 3u);
  EXPECT_EQ(Handled(kGet, absl::StatusCode::kOk), 2u);
  EXPECT_EQ(Handled(kGet, absl::StatusCode::kNotFound), 1u);
  EXPECT_EQ(Of(kGet).messages_received.value(), 3u);
  EXPECT_EQ(Of(kGet).messages_sent.value(), 2u);
  EXPECT_GT(Of(kGet).handling.snapshot().sum_nanoseconds, 0u);
  EXPECT_EQ(reason_, "SERVICE_NOT_FOUND");
}

TEST_F(CallInterceptorTest, StreamsToTheirEnd) {
  grpc::ClientContext context;
  const auto stream = stub_->WatchEvents(&context, {});
  control::v1::WatchEventsResponse response;
  while (stream->Read(&response)) {
  }
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(Of(kWatch).messages_received.value(), 1u);
  EXPECT_EQ(Of(kWatch).messages_sent.value(), 3u);
  EXPECT_EQ(Handled(kWatch, absl::StatusCode::kOk), 1u);
}

TEST_F(CallInterceptorTest, CallsThatTheClientCancels) {
  grpc::ClientContext context;
  control::v1::WatchEventsRequest request;
  request.add_services("hold");
  const auto stream = stub_->WatchEvents(&context, request);
  control::v1::WatchEventsResponse response;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(stream->Read(&response));
  EXPECT_EQ(Of(kWatch).started.value(), 1u);
  EXPECT_EQ(Handled(kWatch, absl::StatusCode::kCancelled), 0u);
  context.TryCancel();
  EXPECT_TRUE(Eventually([&] { return Handled(kWatch, absl::StatusCode::kCancelled) == 1; }));
  stream->Finish();
}

TEST_F(CallInterceptorTest, CallsBeyondTheMaximumOfTheirMethodAreCancelled) {
  constexpr int64_t kCallsMax = 2;
  Serve(kCallsMax);
  control::v1::WatchEventsRequest request;
  request.add_services("hold");
  control::v1::WatchEventsResponse response;
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientReader<control::v1::WatchEventsResponse>>> streams;
  const auto begin = [&] {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    streams.push_back(stub_->WatchEvents(contexts.back().get(), request));
  };
  for (int i = 0; i < kCallsMax; ++i) {
    begin();
    ASSERT_TRUE(streams.back()->Read(&response));
  }
  begin();
  EXPECT_EQ(streams.back()->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(Eventually([&] { return Handled(kWatch, absl::StatusCode::kCancelled) == 1; }));
  // Those of others are not counted among them.
  EXPECT_TRUE(Get("one").ok());
  // One that ends makes room.
  contexts[0]->TryCancel();
  EXPECT_TRUE(Eventually([&] {
    begin();
    return streams.back()->Read(&response);
  }));
  for (const auto& context : contexts) context->TryCancel();
  for (const auto& stream : streams) {
    while (stream->Read(&response)) {
    }
  }
}

TEST_F(CallInterceptorTest, WhatNobodyServesIsUnknownWhateverItsName) {
  grpc::GenericStub stub(channel_);
  for (const char* const path : {"/a.b/C", "/a.b/D", "/x", "/grpc_server_started_total{}/1"}) {
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    grpc::ByteBuffer response;
    grpc::Status status;
    const auto call = stub.PrepareUnaryCall(&context, path, grpc::ByteBuffer(), &queue);
    call->StartCall();
    call->Finish(&response, &status, this);
    void* tag = nullptr;
    bool ok = false;
    ASSERT_TRUE(queue.Next(&tag, &ok));
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << path;
  }
  const observe::CallCounters& unknown = table_[methods_.unknown()];
  EXPECT_TRUE(Eventually([&] { return unknown.started.value() == 4; }));
  metrics::Page page;
  AddCalls(page, {&table_});
  EXPECT_THAT(page.ToText(),
              HasSubstr("grpc_server_started_total{grpc_type=\"unknown\",grpc_service=\"unknown\","
                        "grpc_method=\"unknown\"} 4\n"));
}

TEST_F(CallInterceptorTest, TheLogTellsWhoCalledAndHowItEnded) {
  const std::string line = LineOf({{"traceparent", kTraceparent},
                                   {kPeerMetadataKey, "tcp://192.0.2.1:7"},
                                   {"x-rawgate-user", "alice"}});
  EXPECT_THAT(line, HasSubstr("\"level\":\"debug\",\"program\":\"rawgate-x\",\"message\":\"call\","
                              "\"method\":\"/rawgate.control.v1.ControlService/GetService\","
                              "\"code\":\"NOT_FOUND\",\"duration_ms\":"));
  EXPECT_THAT(line, HasSubstr(std::string("\"peer\":\"tcp://192.0.2.1:7\",\"user\":\"alice\","
                                          "\"traceparent\":\"") +
                              kTraceparent + "\"}\n"));
}

TEST_F(CallInterceptorTest, ATraceparentThatIsNoneIsNotLogged) {
  EXPECT_THAT(LineOf({}), Not(HasSubstr("traceparent")));
  EXPECT_THAT(LineOf({{"traceparent", "00-abc"}}), Not(HasSubstr("traceparent")));
  EXPECT_THAT(LineOf({{"traceparent", kTraceparent}, {"traceparent", kTraceparent}}),
              Not(HasSubstr("traceparent")));
  EXPECT_THAT(LineOf({}), HasSubstr("\"peer\":\"tcp://127.0.0.1:"));
}

TEST_F(CallInterceptorTest, CallsAreNotLoggedAboveTheirLevel) {
  StartLogging("rawgate-x", "info", LogFormat::kJson);
  testing::internal::CaptureStderr();
  Get("one");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(CallTable, TablesOfTheSameMethodsAddUp) {
  const MethodList methods({});
  CallTable one(methods), two(methods);
  const size_t check = methods.Find("/grpc.health.v1.Health/Check");
  one[check].CountHandled(0, absl::Seconds(1));
  two[check].CountHandled(0, absl::Seconds(2));
  two[check].CountHandled(5, absl::Seconds(2));
  // No code that there is.
  two[check].CountHandled(99, absl::Seconds(2));
  metrics::Page page;
  AddCalls(page, {&one, &two});
  const std::string text = page.ToText();
  const std::string labels =
      "{grpc_type=\"unary\",grpc_service=\"grpc.health.v1.Health\",grpc_method=\"Check\"";
  for (const char* const rest :
       {",grpc_code=\"OK\"} 2\n", ",grpc_code=\"NotFound\"} 1\n", ",grpc_code=\"Unknown\"} 1\n"}) {
    EXPECT_THAT(text, HasSubstr("grpc_server_handled_total" + labels + rest));
  }
  EXPECT_THAT(text, HasSubstr("grpc_server_handling_seconds_sum" + labels + "} 7\n"));
  EXPECT_THAT(text, HasSubstr("grpc_server_handling_seconds_count" + labels + "} 4\n"));
}

}  // namespace
}  // namespace rawgate::rpc
