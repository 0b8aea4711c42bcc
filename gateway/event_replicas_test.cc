// WatchEvents at the gateway over two replicas of one service.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gateway/control_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::gateway {
namespace {

namespace pb = control::v1;

class EventReplicasTest : public ::testing::Test {
 protected:
  EventReplicasTest() {
    auto gateway = GatewayServer::Start(
        {.addresses = {*net::Endpoint::Parse("tcp://127.0.0.1:0")},
         .backends = {{"echo", "ipv4:" + one_server_.address() + "," + two_server_.address()}}});
    EXPECT_TRUE(gateway.ok());
    gateway_ = *std::move(gateway);
    stub_ = pb::ControlService::NewStub(
        TestChannel(std::string(gateway_->uris().at(0).substr(std::string("tcp://").size()))));
    EXPECT_TRUE(Eventually([&] { return Running() == 2; }));
  }
  ~EventReplicasTest() override {
    context_.TryCancel();
    gateway_->Stop(absl::ZeroDuration());
  }

  int Running() {
    grpc::ClientContext context;
    pb::ListServicesResponse response;
    EXPECT_TRUE(stub_->ListServices(&context, {}, &response).ok());
    return static_cast<int>(std::count_if(
        response.services().begin(), response.services().end(),
        [](const pb::Service& row) { return row.state() == pb::SERVICE_STATE_RUNNING; }));
  }
  // From here on, or after these of "1" and of "2".
  void Watch(std::map<std::string, uint64_t> after = {}) {
    pb::WatchEventsRequest request;
    for (const auto& [instance, sequence] : after) {
      pb::EventPosition& position = *request.add_after();
      position.set_service("echo");
      position.set_instance(instance);
      position.set_sequence(sequence);
    }
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    watch_ = stub_->WatchEvents(&context_, request);
  }
  // Reads until all of this was told, each event as "1:5", each loss as "1 lost 3", each change of
  // reachability as "1 came" or "1 went". False when the watch ends before.
  bool ReadUntil(const std::set<std::string>& wanted) {
    const auto told = [&] {
      return std::includes(told_.begin(), told_.end(), wanted.begin(), wanted.end());
    };
    pb::WatchEventsResponse message;
    while (!told() && watch_->Read(&message)) {
      for (const pb::EventPosition& position : message.positions())
        Note(position.instance(), " at ", position.sequence());
      for (const pb::EventsLost& lost : message.lost())
        Note(lost.instance(), " lost ", lost.count());
      for (const pb::Event& event : message.events()) {
        if (event.has_reachability_changed()) {
          Note(event.instance(), event.reachability_changed().reachable() ? " came" : " went");
        } else {
          Note(event.instance(), ":", event.sequence());
        }
      }
    }
    return told();
  }
  template <typename... Parts>
  void Note(const Parts&... parts) {
    EXPECT_TRUE(told_.insert(absl::StrCat(parts...)).second) << absl::StrCat(parts...) << " twice";
  }
  // At the address of "1", another process from now on.
  void Replace(TestControl& successor) {
    const int port = one_server_.port();
    one_server_.Stop();
    one_again_ = std::make_unique<TestServer>(std::vector<grpc::Service*>{&successor}, port);
    ASSERT_TRUE(one_again_->ok());
  }

  TestControl one_{"echo", "1"};
  TestControl two_{"echo", "2"};
  TestControl three_{"echo", "3"};
  TestServer one_server_{{&one_}};
  TestServer two_server_{{&two_}};
  std::unique_ptr<TestServer> one_again_;
  std::unique_ptr<GatewayServer> gateway_;
  std::unique_ptr<pb::ControlService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<pb::WatchEventsResponse>> watch_;
  std::set<std::string> told_;
};

TEST_F(EventReplicasTest, EventsOfBothAreTold) {
  one_.events = 4;
  Watch();
  EXPECT_TRUE(ReadUntil({"1 at 4", "2 at 0"}));
  one_.events = 6;
  two_.events = 1;
  EXPECT_TRUE(ReadUntil({"1:5", "1:6", "2:1"}));
}

TEST_F(EventReplicasTest, EachResumesWhereItWas) {
  one_.events = 4;
  two_.events = 9;
  Watch({{"1", 2}, {"2", 8}});
  EXPECT_TRUE(ReadUntil({"1:3", "1:4", "2:9"}));
  EXPECT_FALSE(told_.contains("1:2") || told_.contains("2:8"));
}

TEST_F(EventReplicasTest, PositionOfAProcessThatIsNowhereIsLost) {
  Watch({{"1", 0}, {"gone", 7}});
  EXPECT_TRUE(ReadUntil({"gone lost 0", "1 at 0"}));
  EXPECT_FALSE(told_.contains("1 lost 0"));
}

TEST_F(EventReplicasTest, PositionOfAProcessThatIsAwayIsKept) {
  const int port = one_server_.port();
  one_server_.Stop();
  Watch({{"1", 2}, {"2", 0}});
  EXPECT_TRUE(ReadUntil({"2 at 0"}));
  one_.events = 3;
  one_again_ = std::make_unique<TestServer>(std::vector<grpc::Service*>{&one_}, port);
  EXPECT_TRUE(ReadUntil({"1 came", "1:3"}));
  EXPECT_FALSE(told_.contains("1 lost 0"));
}

TEST_F(EventReplicasTest, ProcessThatIsReplacedIsAnnouncedWithItsGap) {
  Watch();
  EXPECT_TRUE(ReadUntil({"1 at 0", "2 at 0"}));
  Replace(three_);
  EXPECT_TRUE(ReadUntil({"1 went", "1 lost 0", "3 came", "3 at 0"}));
  three_.events = 1;
  two_.events = 1;
  EXPECT_TRUE(ReadUntil({"3:1", "2:1"}));
  EXPECT_FALSE(told_.contains("2 went"));
}

TEST_F(EventReplicasTest, StreamThatDroppedResumes) {
  one_.EndNextFeedWith(Error(absl::StatusCode::kResourceExhausted, "BUSY", "not now"));
  two_.EndNextFeedWith(Error(absl::StatusCode::kResourceExhausted, "BUSY", "not now"));
  one_.events = 2;
  Watch({{"1", 1}, {"2", 0}});
  EXPECT_TRUE(ReadUntil({"1 went", "1 came", "1:2", "2 came"}));
  EXPECT_FALSE(told_.contains("1 lost 0"));
}

}  // namespace
}  // namespace rawgate::gateway
