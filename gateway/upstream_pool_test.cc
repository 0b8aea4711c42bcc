#include "gateway/upstream_pool.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gateway/forwarder_fixture.h"
#include "gateway/route.h"
#include "gtest/gtest.h"
#include "runtime/rpc/server.h"

namespace rawgate::gateway {
namespace {

constexpr int kCalls = 40;

// A service process whose two unary methods do the same; EchoService's is idempotent, ChatService's
// is not.
class Replica {
 public:
  Replica() { Start("tcp://127.0.0.1:0"); }
  ~Replica() { Stop(); }

  std::string address() const { return net::Endpoint::Parse(uri_)->HostPort(); }
  void SetServing(bool serving) { server_->SetServing(serving); }
  // Cancels what is in progress and closes its connections, like a process that is killed.
  void Stop() {
    if (server_ != nullptr) server_->Shutdown(absl::Now());
    server_.reset();
  }
  void StartAgain() { Start(uri_); }

  // While set, calls stay until they are cancelled or this is reset.
  std::atomic<bool> holding = false;
  std::atomic<int> held = 0;
  std::atomic<int> answered = 0;

 private:
  class EchoServicer final : public echo::v1::EchoService::Service {
   public:
    explicit EchoServicer(Replica& replica) : replica_(replica) {}
    grpc::Status Echo(grpc::ServerContext* context, const echo::v1::EchoRequest*,
                      echo::v1::EchoResponse*) override {
      return replica_.Serve(*context);
    }

   private:
    Replica& replica_;
  };
  class ChatServicer final : public chat::v1::ChatService::Service {
   public:
    explicit ChatServicer(Replica& replica) : replica_(replica) {}
    grpc::Status SendMessage(grpc::ServerContext* context, const chat::v1::SendMessageRequest*,
                             chat::v1::SendMessageResponse*) override {
      return replica_.Serve(*context);
    }

   private:
    Replica& replica_;
  };

  void Start(const std::string& uri) {
    auto server = rpc::Server::Start(*net::Endpoint::Parse(uri), {&echo_, &chat_});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    uri_ = server_->uri();
    server_->SetServing(true);
  }
  grpc::Status Serve(grpc::ServerContext& context) {
    if (holding) ++held;
    while (holding) {
      if (context.IsCancelled()) return grpc::Status::CANCELLED;
      absl::SleepFor(absl::Milliseconds(1));
    }
    ++answered;
    return grpc::Status::OK;
  }

  EchoServicer echo_{*this};
  ChatServicer chat_{*this};
  std::unique_ptr<rpc::Server> server_;
  std::string uri_;
};

class UpstreamPoolTest : public ::testing::Test {
 protected:
  UpstreamPoolTest() {
    AwaitBoth([this] { Echo(); });
    AwaitBoth([this] { SendMessage(); });
  }

  // Until both replicas have answered such calls.
  template <typename Call>
  void AwaitBoth(Call call) {
    EXPECT_TRUE(Eventually([&] {
      call();
      return first_.answered > 0 && second_.answered > 0;
    }));
    first_.answered = 0;
    second_.answered = 0;
  }

  grpc::Status Echo() {
    grpc::ClientContext context;
    echo::v1::EchoResponse response;
    return echo_stub_->Echo(&context, {}, &response);
  }
  grpc::Status SendMessage() {
    grpc::ClientContext context;
    chat::v1::SendMessageResponse response;
    return chat_stub_->SendMessage(&context, {}, &response);
  }
  // So many at once, half of which the first replica has in progress when it dies.
  template <typename Call>
  std::vector<grpc::Status> CallWhileTheFirstDies(Call call) {
    first_.holding = true;
    std::vector<grpc::Status> ends(kCalls);
    std::vector<std::thread> callers;
    for (grpc::Status& end : ends) callers.emplace_back([&end, call] { end = call(); });
    EXPECT_TRUE(Eventually([this] { return first_.held + second_.answered == kCalls; }));
    first_.Stop();
    for (std::thread& caller : callers) caller.join();
    return ends;
  }

  std::vector<std::shared_ptr<UpstreamSet>> Backends() const {
    std::vector<std::shared_ptr<UpstreamSet>> backends;
    for (const char* name : {"echo", "chat"})
      backends.push_back(
          TestUpstreams(name, {"ipv4:" + first_.address(), "ipv4:" + second_.address()}));
    return backends;
  }

  Replica first_;
  Replica second_;
  TestForwarder gateway_{Backends(), ForwarderOptions{}, {}};
  const std::unique_ptr<echo::v1::EchoService::Stub> echo_stub_ =
      echo::v1::EchoService::NewStub(gateway_.Channel());
  const std::unique_ptr<chat::v1::ChatService::Stub> chat_stub_ =
      chat::v1::ChatService::NewStub(gateway_.Channel());
};

TEST_F(UpstreamPoolTest, ReplicasTakeTurns) {
  // Once there are all connections to both.
  EXPECT_TRUE(Eventually([&] {
    first_.answered = 0;
    second_.answered = 0;
    for (int i = 0; i < kCalls; ++i) EXPECT_TRUE(Echo().ok());
    EXPECT_EQ(first_.answered + second_.answered, kCalls);
    return first_.answered == kCalls / 2;
  }));
}

TEST_F(UpstreamPoolTest, IdempotentCallsOfAReplicaThatDiesAreTriedAgain) {
  for (const grpc::Status& end : CallWhileTheFirstDies([this] { return Echo(); })) {
    EXPECT_TRUE(end.ok()) << end.error_message();
  }
  EXPECT_GT(first_.held, 0);
  EXPECT_EQ(second_.answered, kCalls);
}

TEST_F(UpstreamPoolTest, OtherCallsOfAReplicaThatDiesFailWhereTheyWereInFlight) {
  int failed = 0;
  for (const grpc::Status& end : CallWhileTheFirstDies([this] { return SendMessage(); })) {
    if (end.ok()) continue;
    ++failed;
    EXPECT_EQ(end.error_code(), grpc::StatusCode::UNAVAILABLE) << end.error_message();
    EXPECT_EQ(Reason(end), "BACKEND_UNREACHABLE");
  }
  EXPECT_GT(first_.held, 0);
  EXPECT_EQ(failed, first_.held);
  // None was done twice.
  EXPECT_EQ(second_.answered, kCalls - failed);
}

TEST_F(UpstreamPoolTest, ReplicaThatDrainsGetsNoNewCalls) {
  first_.SetServing(false);
  // Until the gateway has heard of it.
  EXPECT_TRUE(Eventually([&] {
    const int before = first_.answered;
    for (int i = 0; i < kCalls; ++i) EXPECT_TRUE(SendMessage().ok());
    return first_.answered == before;
  }));
  first_.answered = 0;
  for (int i = 0; i < kCalls; ++i) EXPECT_TRUE(SendMessage().ok());
  EXPECT_EQ(first_.answered, 0);
  first_.SetServing(true);
  EXPECT_TRUE(Eventually([&] { return SendMessage().ok() && first_.answered > 0; }));
}

TEST_F(UpstreamPoolTest, ReplicaThatDrainsKeepsTheCallsItHas) {
  first_.holding = true;
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([this] { EXPECT_TRUE(SendMessage().ok()); });
  }
  EXPECT_TRUE(Eventually([&] { return first_.held + second_.answered == 4; }));
  EXPECT_GT(first_.held, 0);
  first_.SetServing(false);
  // What comes while it is not yet heard of is held there too, and cut short.
  EXPECT_TRUE(Eventually([&] {
    const int before = first_.held;
    for (int i = 0; i < 4; ++i) {
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(20));
      chat::v1::SendMessageResponse response;
      chat_stub_->SendMessage(&context, {}, &response);
    }
    return first_.held == before;
  }));
  first_.holding = false;
  for (std::thread& caller : callers) caller.join();
}

TEST_F(UpstreamPoolTest, NoReplicaLeft) {
  first_.Stop();
  second_.Stop();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Reason(Echo()), "BACKEND_UNREACHABLE");
    EXPECT_EQ(Reason(SendMessage()), "BACKEND_UNREACHABLE");
  }
  second_.StartAgain();
  EXPECT_TRUE(Eventually([&] { return Echo().ok() && SendMessage().ok(); }));
}

TEST(UpstreamRetriesTest, OnlyWhatTheDescriptorsCallIdempotentIsTriedAgain) {
  const RouteTable routes({"file"});
  const auto is_idempotent = [&](const std::string& path) {
    const absl::StatusOr<const Route*> route = routes.Find(path);
    EXPECT_TRUE(route.ok()) << path;
    return route.ok() && IsIdempotent(*(*route)->method);
  };
  for (const char* path :
       {"/rawgate.file.v1.FileService/StatFile", "/rawgate.file.v1.FileService/DeleteFile",
        "/google.bytestream.ByteStream/QueryWriteStatus"})
    EXPECT_TRUE(is_idempotent(path)) << path;
  // What may have been done.
  for (const char* path :
       {"/rawgate.file.v1.FileService/MoveFile", "/rawgate.file.v1.FileService/WriteChunk"})
    EXPECT_FALSE(is_idempotent(path)) << path;
}

}  // namespace
}  // namespace rawgate::gateway
