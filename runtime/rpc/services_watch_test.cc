// WatchServices, through a real server.
#include "runtime/rpc/services_watch.h"

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/rpc/control_test_server.h"
#include "runtime/rpc/status.h"
#include "runtime/rpc/watch_set.h"

namespace rawgate::rpc {
namespace {

namespace pb = control::v1;

// One client's watch.
class Watch {
 public:
  explicit Watch(ControlTestServer& server, const pb::WatchServicesRequest& request = {})
      : reader_(server.stub->WatchServices(&context_, request)) {}
  ~Watch() {
    Cancel();
    End().IgnoreError();
  }

  void Cancel() { context_.TryCancel(); }
  pb::WatchServicesResponse NextMessage() {
    pb::WatchServicesResponse response;
    EXPECT_TRUE(reader_->Read(&response)) << End();
    return response;
  }
  // The next message's service; its number must follow the last one's.
  pb::Service Next() {
    const pb::WatchServicesResponse response = NextMessage();
    if (!response.snapshot()) {
      EXPECT_EQ(response.sequence(), sequence_ + 1);
    }
    sequence_ = response.sequence();
    EXPECT_EQ(response.services_size(), 1);
    return response.services_size() > 0 ? response.services(0) : pb::Service();
  }
  // Reads on until the service is in `state`.
  pb::Service Until(pb::ServiceState state) {
    for (int i = 0; i < 1000; ++i) {
      pb::Service service = Next();
      if (service.state() == state || testing::Test::HasFailure()) return service;
    }
    ADD_FAILURE() << "never in state " << state;
    return {};
  }
  absl::Status End() {
    pb::WatchServicesResponse response;
    if (!status_) {
      while (reader_->Read(&response)) {
      }
      status_ = FromGrpc(reader_->Finish());
    }
    return *status_;
  }
  bool ReadOne() {
    pb::WatchServicesResponse response;
    return reader_->Read(&response);
  }

 private:
  grpc::ClientContext context_;
  // How it ended.
  std::optional<absl::Status> status_;
  std::unique_ptr<grpc::ClientReader<pb::WatchServicesResponse>> reader_;
  uint64_t sequence_ = 0;
};

class ServicesWatchTest : public testing::Test {
 protected:
  ServicesWatchTest() { server_.Serve(); }
  ControlTestServer server_;
};

TEST_F(ServicesWatchTest, BeginsWithASnapshotAndTellsOfChanges) {
  Watch watch(server_);
  EXPECT_EQ(watch.Next().state(), pb::SERVICE_STATE_RUNNING);
  ASSERT_TRUE(server_.Stop(absl::Seconds(1)).ok());
  const pb::Service stopped = watch.Until(pb::SERVICE_STATE_STOPPED);
  EXPECT_EQ(stopped.listeners(0).bound_address(), "");
  ASSERT_TRUE(server_.Start().ok());
  EXPECT_EQ(watch.Until(pb::SERVICE_STATE_RUNNING).listeners(0).bound_address(),
            "tcp://127.0.0.1:4711");
}

TEST_F(ServicesWatchTest, TellsOfDraining) {
  server_.loop_thread.Run([&] { server_.tcp->Connect(); });
  Watch watch(server_);
  watch.Next();
  server_.service.Stop("", absl::Minutes(1), [](const absl::Status&) {});
  EXPECT_EQ(watch.Until(pb::SERVICE_STATE_DRAINING).desired_state(), pb::DESIRED_STATE_STOPPED);
  server_.loop_thread.Run([&] { server_.tcp->CloseAll(); });
  watch.Until(pb::SERVICE_STATE_STOPPED);
}

TEST_F(ServicesWatchTest, TellsEveryChangeInOrder) {
  Watch watch(server_);
  watch.Next();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(server_.Stop(absl::Seconds(1)).ok());
    ASSERT_TRUE(server_.Start().ok());
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(watch.Next().state(), pb::SERVICE_STATE_DRAINING);
    EXPECT_EQ(watch.Next().state(), pb::SERVICE_STATE_STOPPED);
    EXPECT_EQ(watch.Next().state(), pb::SERVICE_STATE_RUNNING);
  }
}

TEST_F(ServicesWatchTest, ResumesWithoutASnapshot) {
  pb::WatchServicesRequest resume;
  {
    Watch watch(server_);
    const pb::WatchServicesResponse last = watch.NextMessage();
    resume.set_instance(last.instance());
    resume.set_after_sequence(last.sequence());
  }
  ASSERT_TRUE(server_.Stop(absl::Seconds(1)).ok());
  Watch watch(server_, resume);
  for (const pb::ServiceState state : {pb::SERVICE_STATE_DRAINING, pb::SERVICE_STATE_STOPPED}) {
    const pb::WatchServicesResponse change = watch.NextMessage();
    EXPECT_FALSE(change.snapshot());
    EXPECT_EQ(change.services(0).state(), state);
  }
}

TEST_F(ServicesWatchTest, ResumingAnotherInstanceBeginsWithASnapshot) {
  pb::WatchServicesRequest resume;
  resume.set_instance("of a process that is gone");
  resume.set_after_sequence(1);
  EXPECT_TRUE(Watch(server_, resume).NextMessage().snapshot());
}

TEST_F(ServicesWatchTest, EndsWhenTheProcessGoes) {
  Watch watch(server_);
  watch.Next();
  server_.control->EndWatches();
  const absl::Status status = watch.End();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(status), "DRAINING");
  EXPECT_NE(RetryAfterOf(status), std::nullopt);

  Watch late(server_);
  EXPECT_EQ(ReasonOf(late.End()), "DRAINING");
}

TEST_F(ServicesWatchTest, ThereAreOnlySoMany) {
  std::list<Watch> watches;
  for (size_t i = 0; i < kWatchesMax; ++i) watches.emplace_back(server_).Next();
  {
    Watch refused(server_);
    const absl::Status status = refused.End();
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(ReasonOf(status), "TOO_MANY_WATCHERS");
    EXPECT_NE(RetryAfterOf(status), std::nullopt);
  }
  watches.pop_back();
  EXPECT_TRUE(Eventually([&] { return Watch(server_).ReadOne(); })) << "a place became free";
}

TEST_F(ServicesWatchTest, CancellationRacesWithChangesAndTheEnd) {
  std::atomic<bool> stop{false};
  std::thread changes([&] {
    while (!stop) {
      EXPECT_TRUE(server_.Stop(absl::Seconds(1)).ok());
      EXPECT_TRUE(server_.Start().ok());
    }
  });
  for (int i = 0; i < 200; ++i) {
    Watch watch(server_);
    for (int reads = 0; reads < i % 4; ++reads) watch.ReadOne();
    if (i == 190) server_.control->EndWatches();
    watch.Cancel();
    const absl::Status status = watch.End();
    // Watches that were cancelled may still hold their places.
    EXPECT_THAT(ReasonOf(status), testing::AnyOf("CANCELLED", "DRAINING", "TOO_MANY_WATCHERS"));
    if (i >= 190) break;
  }
  stop = true;
  changes.join();
}

}  // namespace
}  // namespace rawgate::rpc
