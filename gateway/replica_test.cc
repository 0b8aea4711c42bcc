#include "gateway/replica.h"

#include <vector>

#include "gateway/control_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::gateway {
namespace {

namespace pb = control::v1;
using ::testing::ElementsAre;

class ReplicaTest : public ::testing::Test {
 protected:
  ~ReplicaTest() override {
    if (replica_ != nullptr) replica_->Stop();
  }
  void Start(const std::string& name) {
    replica_ = std::make_unique<Replica>(Replica::Place{.name = name, .address = server_.target()},
                                         grpc::InsecureChannelCredentials(),
                                         [this](const pb::Service& service) {
                                           absl::MutexLock lock(&mutex_);
                                           told_.push_back(service);
                                         });
    replica_->Start();
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
  std::unique_ptr<Replica> replica_;
};

TEST_F(ReplicaTest, DrainingUntilItDoesNotAnswer) {
  Start("time");
  EXPECT_TRUE(Eventually([&] { return states().size() == 1; }));
  time_.draining = true;
  // The watch that ends, and others that are refused.
  EXPECT_TRUE(Eventually([&] { return time_.watches >= 4; }));
  EXPECT_EQ(replica_->service().state(), pb::SERVICE_STATE_DRAINING);
  EXPECT_TRUE(replica_->reachable());
  EXPECT_FALSE(replica_->watchable());
  server_.Stop();
  EXPECT_TRUE(Eventually([&] { return states().size() == 3; }));
  EXPECT_FALSE(replica_->reachable());
  EXPECT_TRUE(replica_->answered());
  EXPECT_THAT(states(), ElementsAre(pb::SERVICE_STATE_RUNNING, pb::SERVICE_STATE_DRAINING,
                                    pb::SERVICE_STATE_UNREACHABLE));
}

TEST_F(ReplicaTest, ServiceThatTurnsOutToBeAnotherOneIsToldOnce) {
  time_.again = 3;
  Start("echo");
  EXPECT_TRUE(Eventually([&] { return time_.again == 0 && states().size() == 1; }));
  // Ends the watch, after all that was sent on it.
  time_.draining = true;
  ASSERT_TRUE(Eventually([&] { return states().size() == 2; }));
  absl::MutexLock lock(&mutex_);
  EXPECT_EQ(told_[0].state(), pb::SERVICE_STATE_UNREACHABLE);
  EXPECT_EQ(told_[0].last_error(), server_.target() + " serves \"time\", not \"echo\"");
}

}  // namespace
}  // namespace rawgate::gateway
