#include "runtime/net/service.h"

#include <future>

#include <gtest/gtest.h>

#include "runtime/base/status.h"
#include "runtime/testing/loop_thread.h"
#include "runtime/testing/raw_client.h"

namespace rawgate::net {
namespace {

using ::rawgate::testing::Eventually;
using ::rawgate::testing::LoopThread;

// A listener without a socket: drains when the test says so.
class FakeListener final : public Listener {
 public:
  FakeListener(std::string name, observe::EventLog& events)
      : Listener(std::move(name), *Endpoint::Parse("tcp://127.0.0.1:1"), events) {}

  absl::Status Start() override {
    bound_uri_ = start_result.ok() ? "tcp://127.0.0.1:1" : "";
    return start_result;
  }
  void Stop(std::function<void()> drained) override {
    bound_uri_.clear();
    if (drains_at_once) return drained();
    drained_ = std::move(drained);
  }
  void CloseAll() override {
    closed_all = true;
    if (drained_) std::exchange(drained_, nullptr)();
  }
  void List(uint64_t after_id, size_t limit, std::vector<ConnectionInfo>* rows) override {
    for (const uint64_t id : ids) {
      if (id > after_id && rows->size() < limit)
        rows->push_back({.id = id, .listener = name_, .peer = "", .open_time = {}});
    }
  }
  bool CloseConnection(uint64_t id) override { return std::erase(ids, id) > 0; }

  absl::Status start_result;
  bool drains_at_once = true;
  std::atomic<bool> closed_all{false};
  std::vector<uint64_t> ids;

 private:
  void ApplyFaults() override {}

  std::function<void()> drained_;
};

class ServiceTest : public ::testing::Test {
 protected:
  ServiceTest() : service_(thread_.loop(), "test", events_) {
    for (FakeListener** listener : {&one_, &two_}) {
      auto owned = std::make_unique<FakeListener>(listener == &one_ ? "one" : "two", events_);
      *listener = owned.get();
      service_.Add(std::move(owned));
    }
  }
  void TearDown() override { thread_.Stop(); }

  absl::Status Start(const std::string& listener = "") {
    std::promise<absl::Status> done;
    service_.Start(listener, [&](const absl::Status& status) { done.set_value(status); });
    return done.get_future().get();
  }
  std::future<absl::Status> StopLater(const std::string& listener, absl::Duration grace) {
    auto done = std::make_shared<std::promise<absl::Status>>();
    service_.Stop(listener, grace, [done](const absl::Status& status) { done->set_value(status); });
    return done->get_future();
  }
  absl::Status Stop(const std::string& listener = "", absl::Duration grace = absl::Hours(1)) {
    return StopLater(listener, grace).get();
  }
  ServiceDescription Describe() {
    std::promise<ServiceDescription> done;
    service_.Describe([&](ServiceDescription now) { done.set_value(std::move(now)); });
    return done.get_future().get();
  }

  LoopThread thread_;
  observe::EventLog events_;
  Service service_;
  FakeListener* one_ = nullptr;
  FakeListener* two_ = nullptr;
};

TEST_F(ServiceTest, StartsAndStopsIdempotently) {
  EXPECT_EQ(Describe().state, State::kStarting);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(Start().ok());
    EXPECT_EQ(Describe().state, State::kRunning);
    EXPECT_TRUE(service_.accepting());
  }
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(Stop().ok());
    EXPECT_EQ(Describe().state, State::kStopped);
    EXPECT_FALSE(service_.accepting());
  }
}

TEST_F(ServiceTest, OneListenerCanBeStoppedAlone) {
  ASSERT_TRUE(Start().ok());
  ASSERT_TRUE(Stop("two").ok());
  const ServiceDescription now = Describe();
  EXPECT_EQ(now.state, State::kRunning);
  EXPECT_EQ(now.listeners[0].status.state, State::kRunning);
  EXPECT_EQ(now.listeners[1].status.state, State::kStopped);
  EXPECT_FALSE(now.listeners[1].status.desired_running);
  EXPECT_TRUE(service_.accepting());
  EXPECT_EQ(ReasonOf(Stop("three")), "LISTENER_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Start("three")), "LISTENER_NOT_FOUND");
}

TEST_F(ServiceTest, AFailedBindIsAStateAndTheOthersServe) {
  one_->start_result = Error(absl::StatusCode::kFailedPrecondition, "BIND_FAILED", "taken");
  EXPECT_EQ(ReasonOf(Start()), "BIND_FAILED");
  ServiceDescription now = Describe();
  EXPECT_EQ(now.state, State::kFailed);
  EXPECT_EQ(now.last_error, "taken");
  EXPECT_EQ(now.listeners[1].status.state, State::kRunning);
  one_->start_result = absl::OkStatus();
  EXPECT_TRUE(Start().ok());
  now = Describe();
  EXPECT_EQ(now.state, State::kRunning);
  EXPECT_EQ(now.listeners[0].status.last_error, "");
}

TEST_F(ServiceTest, StopWaitsForTheGraceThenCloses) {
  one_->drains_at_once = false;
  ASSERT_TRUE(Start().ok());
  auto patient = StopLater("", absl::Hours(1));
  ASSERT_TRUE(Eventually([&] { return Describe().state == State::kDraining; }));
  EXPECT_FALSE(one_->closed_all);
  EXPECT_TRUE(Stop("", absl::ZeroDuration()).ok());
  EXPECT_TRUE(one_->closed_all);
  EXPECT_TRUE(patient.get().ok());
  EXPECT_EQ(Describe().state, State::kStopped);
}

TEST_F(ServiceTest, AStartDuringADrainSupersedesTheStop) {
  one_->drains_at_once = false;
  ASSERT_TRUE(Start().ok());
  auto stop = StopLater("", absl::Hours(1));
  ASSERT_TRUE(Eventually([&] { return Describe().state == State::kDraining; }));
  EXPECT_TRUE(Start().ok());
  EXPECT_EQ(ReasonOf(stop.get()), "SUPERSEDED");
  EXPECT_EQ(Describe().state, State::kRunning);
}

TEST_F(ServiceTest, ListsConnectionsOfAllListenersInOrder) {
  one_->ids = {1, 4, 6};
  two_->ids = {2, 3, 7};
  std::promise<std::vector<ConnectionInfo>> done;
  service_.ListConnections(
      1, 4, [&](std::vector<ConnectionInfo> rows) { done.set_value(std::move(rows)); });
  std::vector<uint64_t> ids;
  for (const ConnectionInfo& row : done.get_future().get()) ids.push_back(row.id);
  EXPECT_EQ(ids, (std::vector<uint64_t>{2, 3, 4, 6}));

  for (const bool found : {true, false}) {
    std::promise<absl::Status> closed;
    service_.CloseConnection(7, [&](const absl::Status& status) { closed.set_value(status); });
    EXPECT_EQ(ReasonOf(closed.get_future().get()), found ? "OK" : "CONNECTION_NOT_FOUND");
  }
}

TEST_F(ServiceTest, NobodyOpensAgainWhatStopsForGood) {
  ASSERT_TRUE(Start().ok());
  one_->drains_at_once = false;
  std::promise<absl::Status> stopped;
  service_.StopForGood(absl::Hours(1),
                       [&](const absl::Status& status) { stopped.set_value(status); });
  EXPECT_EQ(ReasonOf(Start()), "DRAINING");
  EXPECT_EQ(ReasonOf(Stop()), "DRAINING");
  EXPECT_FALSE(service_.accepting());
  thread_.Run([&] { one_->CloseAll(); });
  EXPECT_TRUE(stopped.get_future().get().ok());
}

TEST_F(ServiceTest, TellsEveryChangeInOrder) {
  ASSERT_TRUE(Start().ok());
  std::vector<State> told;  // loop thread
  service_.Observe([&](const ServiceDescription& now) { told.push_back(now.state); });
  ASSERT_TRUE(Stop().ok());
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(told,
            (std::vector{State::kRunning, State::kDraining, State::kStopped, State::kRunning}));
}

}  // namespace
}  // namespace rawgate::net
