// Which listeners of a service are told what, and when they are not.
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/net/service.h"
#include "runtime/testing/loop_thread.h"

namespace rawgate::net {
namespace {

using ::rawgate::testing::LoopThread;

// A listener without a socket.
class FakeListener final : public Listener {
 public:
  FakeListener(const char* name, const char* uri, observe::EventLog& events)
      : Listener(name, *Endpoint::Parse(uri), events) {}

  absl::Status Start() override { return absl::OkStatus(); }
  void Stop(std::function<void()> drained) override {
    SetFaults({});
    drained();
  }
  void CloseAll() override {}
  void List(uint64_t, size_t, std::vector<ConnectionInfo>*) override {}
  bool CloseConnection(uint64_t) override { return false; }

 private:
  void ApplyFaults() override {}
};

class ServiceFaultsTest : public ::testing::Test {
 protected:
  ServiceFaultsTest() : service_(thread_.loop(), "test", events_) {
    service_.Add(std::make_unique<FakeListener>("tcp", "tcp://127.0.0.1:1", events_));
    service_.Add(std::make_unique<FakeListener>("udp", "udp://127.0.0.1:1", events_));
    service_.AllowFaults();
    EXPECT_TRUE(Await([this](auto done) { service_.Start("", done); }).ok());
  }
  void TearDown() override { thread_.Stop(); }

  absl::Status Await(const std::function<void(Service::Done)>& begin) {
    std::promise<absl::Status> ended;
    begin([&](const absl::Status& status) { ended.set_value(status); });
    return ended.get_future().get();
  }
  absl::Status Set(const std::string& listener, const Faults& faults) {
    return Await([&](auto done) { service_.SetFaults(listener, faults, {}, done); });
  }
  absl::Status Stop(const std::string& listener) {
    return Await([&](auto done) { service_.Stop(listener, absl::ZeroDuration(), done); });
  }
  Faults FaultsOf(size_t listener) {
    std::promise<ServiceDescription> described;
    service_.Describe([&](ServiceDescription now) { described.set_value(std::move(now)); });
    return described.get_future().get().listeners.at(listener).faults;
  }

  const Faults stream_{.seed = 7, .stream_sent = {.delay = 1}};
  const Faults datagrams_{.seed = 7, .datagrams_sent = {.loss = 1}};
  LoopThread thread_;
  observe::EventLog events_;
  Service service_;
};

TEST_F(ServiceFaultsTest, OneListenerIsTold) {
  EXPECT_TRUE(Set("tcp", stream_).ok());
  EXPECT_EQ(FaultsOf(0).stream_sent.delay, 1);
  EXPECT_EQ(FaultsOf(0).seed, 7u);
  EXPECT_TRUE(FaultsOf(1).empty());
  EXPECT_TRUE(Set("tcp", {}).ok());
  EXPECT_TRUE(FaultsOf(0).empty());
}

TEST_F(ServiceFaultsTest, WithoutANameEachTakesItsPart) {
  Faults both = stream_;
  both.datagrams_sent.loss = 1;
  EXPECT_TRUE(Set("", both).ok());
  EXPECT_EQ(FaultsOf(0).stream_sent.delay, 1);
  EXPECT_EQ(FaultsOf(0).datagrams_sent.loss, 0);
  EXPECT_EQ(FaultsOf(1).datagrams_sent.loss, 1);
  EXPECT_TRUE(Set("", stream_).ok());
  EXPECT_EQ(FaultsOf(1).datagrams_sent.loss, 1) << "not what it was about";
  EXPECT_TRUE(Set("", {}).ok());
  EXPECT_TRUE(FaultsOf(0).empty());
  EXPECT_TRUE(FaultsOf(1).empty());
}

TEST_F(ServiceFaultsTest, ASeedIsPickedWhereNoneIsGiven) {
  Faults faults = stream_;
  faults.seed = 0;
  EXPECT_TRUE(Set("tcp", faults).ok());
  EXPECT_NE(FaultsOf(0).seed, 0u);
}

TEST_F(ServiceFaultsTest, WhatAListenerCannotDoIsRefused) {
  const absl::Status refused = Set("tcp", datagrams_);
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(refused), "BAD_FAULTS");
  EXPECT_EQ(FieldOf(refused), "faults.datagrams_sent");
  EXPECT_EQ(FieldOf(Set("udp", stream_)), "faults.stream_sent");
  EXPECT_EQ(ReasonOf(Set("nosuch", stream_)), "LISTENER_NOT_FOUND");
}

TEST_F(ServiceFaultsTest, AStoppedListenerHasNone) {
  EXPECT_TRUE(Set("", stream_).ok());
  EXPECT_TRUE(Stop("tcp").ok());
  EXPECT_TRUE(FaultsOf(0).empty());
  EXPECT_EQ(ReasonOf(Set("tcp", stream_)), "SERVICE_STOPPED");
  EXPECT_EQ(ReasonOf(Set("", stream_)), "SERVICE_STOPPED");
  EXPECT_TRUE(Set("tcp", {}).ok()) << "it behaves already";
  EXPECT_TRUE(Set("", datagrams_).ok()) << "the other one runs";
}

TEST_F(ServiceFaultsTest, NothingWithoutLeave) {
  Service other(thread_.loop(), "other", events_);
  const absl::Status refused = Await([&](auto done) { other.SetFaults("", stream_, {}, done); });
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(refused), "FAULTS_NOT_ALLOWED");
}

TEST_F(ServiceFaultsTest, AChangeIsTold) {
  std::promise<void> told;
  service_.Observe([&, tellings = 0](const ServiceDescription& now) mutable {
    if (++tellings == 2) {
      EXPECT_EQ(now.listeners[0].faults.stream_sent.delay, 1);
      told.set_value();
    }
  });
  EXPECT_TRUE(Set("tcp", stream_).ok());
  told.get_future().get();
}

}  // namespace
}  // namespace rawgate::net
