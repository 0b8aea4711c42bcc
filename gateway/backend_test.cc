#include "gateway/backend.h"

#include <vector>

#include "gateway/control_fixture.h"
#include "gmock/gmock.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"

namespace rawgate::gateway {
namespace {

namespace pb = control::v1;
using ::testing::ElementsAre;

class BackendTest : public ::testing::Test {
 protected:
  ~BackendTest() override {
    if (backend_ != nullptr) backend_->Stop();
  }
  void Start(const std::string& name) {
    backend_ = std::make_unique<Backend>(BackendAddress{name, server_.address()},
                                         [this](const pb::Service& service) {
                                           absl::MutexLock lock(&mutex_);
                                           told_.push_back(service);
                                         });
    backend_->Start();
  }
  std::vector<pb::ServiceState> states() {
    absl::MutexLock lock(&mutex_);
    std::vector<pb::ServiceState> states;
    for (const pb::Service& service : told_) states.push_back(service.state());
    return states;
  }

  TestControl time_{"time"};
  TestEcho echo_;
  TestServer server_{{&time_, &echo_}};
  absl::Mutex mutex_;
  std::vector<pb::Service> told_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Backend> backend_;
};

TEST_F(BackendTest, DrainingUntilItDoesNotAnswer) {
  Start("time");
  EXPECT_TRUE(Eventually([&] { return states().size() == 1; }));
  time_.draining = true;
  // The watch that ends, and others that are refused.
  EXPECT_TRUE(Eventually([&] { return time_.watches >= 4; }));
  EXPECT_EQ(backend_->service().state(), pb::SERVICE_STATE_DRAINING);
  EXPECT_TRUE(backend_->reachable());
  EXPECT_FALSE(backend_->watchable());
  server_.Stop();
  EXPECT_TRUE(Eventually([&] { return states().size() == 3; }));
  EXPECT_FALSE(backend_->reachable());
  EXPECT_THAT(states(), ElementsAre(pb::SERVICE_STATE_RUNNING, pb::SERVICE_STATE_DRAINING,
                                    pb::SERVICE_STATE_UNREACHABLE));
}

TEST_F(BackendTest, ServiceThatTurnsOutToBeAnotherOneIsToldOnce) {
  time_.again = 3;
  Start("echo");
  EXPECT_TRUE(Eventually([&] { return time_.again == 0 && states().size() == 1; }));
  // Ends the watch, after all that was sent on it.
  time_.draining = true;
  ASSERT_TRUE(Eventually([&] { return states().size() == 2; }));
  absl::MutexLock lock(&mutex_);
  EXPECT_EQ(told_[0].state(), pb::SERVICE_STATE_UNREACHABLE);
  EXPECT_EQ(told_[0].last_error(), server_.address() + " serves \"time\", not \"echo\"");
}

TEST_F(BackendTest, FatAnswerDoesNotEndTheSharedConnection) {
  Start("time");
  const auto stub = echo::v1::EchoService::NewStub(backend_->channel());
  grpc::ClientContext shared;
  const auto stream = stub->Converse(&shared);
  stream->WaitForInitialMetadata();

  grpc::ClientContext context;
  echo::v1::EchoRequest request;
  request.set_payload("fat");
  echo::v1::EchoResponse response;
  const grpc::Status status = stub->Echo(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(context.GetServerTrailingMetadata().count("fat-bin"), 1U);

  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

}  // namespace
}  // namespace rawgate::gateway
