#include "runtime/rpc/half_close.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "grpc/grpc.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "runtime/rpc/lane.h"

namespace rawgate::rpc {
namespace {

constexpr int kLimit = 1024;

grpc::ByteBuffer Message(size_t size) {
  const grpc::Slice slice(std::string(size, 'm'));
  return {&slice, 1};
}

// A server that reads one call to its end and asks how it ended, and a client of it that is as
// asynchronous.
class HalfCloseTest : public testing::Test {
 protected:
  HalfCloseTest() {
    grpc::ServerBuilder builder;
    builder.SetMaxReceiveMessageSize(kLimit);
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterAsyncGenericService(&service_);
    lane_ = std::make_unique<Lane>(builder.AddCompletionQueue());
    server_ = builder.BuildAndStart();
    Serve();
    lane_->Start();
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const std::string address = "127.0.0.1:" + std::to_string(port_);
    stub_ = std::make_unique<grpc::GenericStub>(
        grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
    call_ = stub_->PrepareCall(&context_, "/any/Method", &queue_);
    Await([this](void* tag) { call_->StartCall(tag); });
  }
  ~HalfCloseTest() override {
    context_.TryCancel();
    Finish();
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
    server_->Shutdown(std::chrono::system_clock::now());
    lane_->Join();
  }

  // One operation of the client.
  bool Await(const std::function<void(void*)>& start) {
    start(nullptr);
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue_.Next(&tag, &ok));
    return ok;
  }
  void Write(size_t size) {
    const grpc::ByteBuffer message = Message(size);
    Await([&](void* tag) { call_->Write(message, tag); });
  }
  void WritesDone() {
    Await([this](void* tag) { call_->WritesDone(tag); });
  }
  void Cancel() { context_.TryCancel(); }
  // The call's end, as the client sees it.
  grpc::StatusCode Finish() {
    if (!finished_) Await([this](void* tag) { call_->Finish(&status_, tag); });
    finished_ = true;
    return status_.error_code();
  }

  // What the server found.
  bool HalfClosed() {
    ended_.WaitForNotification();
    return half_closed_;
  }
  size_t messages() const { return messages_; }
  void StopServer() { server_->Shutdown(std::chrono::system_clock::now()); }

 private:
  RootTask Serve() {
    const Lane::Occupant occupant(*lane_);
    grpc::GenericServerContext context;
    grpc::GenericServerAsyncReaderWriter stream(&context);
    if (!co_await Operation([&](void* tag) {
          service_.RequestCall(&context, &stream, lane_->queue(), lane_->queue(), tag);
        }))
      co_return;
    grpc::ByteBuffer message;
    while (co_await Operation([&](void* tag) { stream.Read(&message, tag); })) ++messages_;
    half_closed_ = co_await HalfClose(context.c_call());
    ended_.Notify();
    co_await Operation([&](void* tag) { stream.Finish(grpc::Status::OK, tag); });
  }

  const bool library_is_up_ = (grpc_init(), true);
  grpc::AsyncGenericService service_;
  int port_ = 0;
  std::unique_ptr<Lane> lane_;
  std::unique_ptr<grpc::Server> server_;
  absl::Notification ended_;
  bool half_closed_ = false;
  size_t messages_ = 0;

  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericStub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
  grpc::Status status_;
  bool finished_ = false;
};

TEST_F(HalfCloseTest, AfterMessages) {
  Write(10);
  Write(kLimit);
  WritesDone();
  EXPECT_TRUE(HalfClosed());
  EXPECT_EQ(messages(), 2U);
  EXPECT_EQ(Finish(), grpc::StatusCode::OK);
}

TEST_F(HalfCloseTest, WithoutAMessage) {
  WritesDone();
  EXPECT_TRUE(HalfClosed());
  EXPECT_EQ(messages(), 0U);
}

TEST_F(HalfCloseTest, EmptyMessageIsNone) {
  Write(0);
  WritesDone();
  EXPECT_TRUE(HalfClosed());
  EXPECT_EQ(messages(), 1U);
}

TEST_F(HalfCloseTest, ResetIsNone) {
  Write(10);
  Cancel();
  EXPECT_FALSE(HalfClosed());
}

TEST_F(HalfCloseTest, ResetWithoutAMessageIsNone) {
  Cancel();
  EXPECT_FALSE(HalfClosed());
}

TEST_F(HalfCloseTest, MessageOverTheLimitIsNone) {
  Write(10);
  Write(kLimit + 1);
  WritesDone();
  EXPECT_FALSE(HalfClosed());
  EXPECT_EQ(messages(), 1U);
  EXPECT_EQ(Finish(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(HalfCloseTest, ConnectionThatEndsIsNone) {
  Write(10);
  StopServer();
  EXPECT_FALSE(HalfClosed());
}

}  // namespace
}  // namespace rawgate::rpc
