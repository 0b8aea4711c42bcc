#include "gateway/event_merge.h"

#include "gateway/control_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/rpc/event_watch.h"
#include "runtime/rpc/watch_set.h"

namespace rawgate::gateway {
namespace {

namespace pb = control::v1;
using ::testing::Contains;
using ::testing::Pair;

class EventMergeTest : public ControlTest {
 protected:
  using Reader = std::unique_ptr<grpc::ClientReader<pb::WatchEventsResponse>>;

  // Reads until the watch has told where `service` stands; false when it ends before.
  static bool ReadPositionOf(const std::string& service, Reader& watch) {
    pb::WatchEventsResponse message;
    while (watch->Read(&message)) {
      for (const pb::EventPosition& position : message.positions()) {
        if (position.service() == service) return true;
      }
    }
    return false;
  }

  grpc::ClientContext context_;
};

// A feed that others share is the gateway's own.
TEST_F(EventMergeTest, FeedsOfOneClientCarryItsMetadata) {
  context_.AddMetadata("trace-id", "abc");
  pb::WatchEventsRequest request;
  request.add_after()->set_service("echo");
  Reader watch = stub_->WatchEvents(&context_, request);
  ASSERT_TRUE(ReadPositionOf("echo", watch));
  EXPECT_THAT(echo_.resumed_metadata(), Contains(Pair("trace-id", "abc")));
  EXPECT_EQ(echo_.resumed_metadata().count("x-rawgate-peer"), 1U);
}

TEST_F(EventMergeTest, FeedThatFailsDoesNotEndTheWatch) {
  for (const absl::StatusCode code :
       {absl::StatusCode::kResourceExhausted, absl::StatusCode::kInternal,
        absl::StatusCode::kPermissionDenied, absl::StatusCode::kUnimplemented,
        absl::StatusCode::kFailedPrecondition, absl::StatusCode::kDeadlineExceeded}) {
    echo_.EndNextFeedWith(Error(code, "BUSY", "not now"));
    grpc::ClientContext context;
    Reader watch = stub_->WatchEvents(&context, {});
    // After its first feed failed, another one was opened.
    EXPECT_TRUE(ReadPositionOf("echo", watch)) << absl::StatusCodeToString(code);
    context.TryCancel();
  }
}

// Its watchers are those of all gateways.
TEST_F(EventMergeTest, ReplicaThatHasTooManyWatchersIsAwayForAWhile) {
  echo_.EndNextFeedWith(rpc::TooManyWatchers());
  Reader watch = stub_->WatchEvents(&context_, {});
  EXPECT_TRUE(ReadPositionOf("echo", watch));
}

TEST_F(EventMergeTest, PositionsAreSoMany) {
  pb::WatchEventsRequest request;
  for (int i = 0; i < rpc::kPositionsMax; ++i) {
    request.add_after()->set_service("echo");
    request.mutable_after(i)->set_instance(absl::StrCat(i));
  }
  {
    grpc::ClientContext context;
    Reader watch = stub_->WatchEvents(&context, request);
    EXPECT_TRUE(ReadPositionOf("echo", watch));
    context.TryCancel();
  }
  request.add_after();
  EXPECT_EQ(Reason(stub_->WatchEvents(&context_, request)->Finish()), "BAD_POSITIONS");
}

TEST_F(EventMergeTest, FeedThatFailsAgainAndAgainIsAnnouncedOnce) {
  for (int i = 0; i < 3; ++i)
    echo_.EndNextFeedWith(Error(absl::StatusCode::kResourceExhausted, "BUSY", "not now"));
  Reader watch = stub_->WatchEvents(&context_, {});
  std::vector<bool> told;
  pb::WatchEventsResponse message;
  while (told.size() < 2 && watch->Read(&message)) {
    for (const pb::Event& event : message.events()) {
      if (event.has_reachability_changed())
        told.push_back(event.reachability_changed().reachable());
    }
  }
  EXPECT_EQ(told, (std::vector<bool>{false, true}));
}

TEST_F(EventMergeTest, WhatIsTheClientsAffairEndsTheWatch) {
  const absl::Status ends[] = {
      Error(absl::StatusCode::kInvalidArgument, "SAMPLE_TOO_LARGE", "too large"),
      Error(absl::StatusCode::kNotFound, "SERVICE_NOT_FOUND", "none")};
  for (const absl::Status& end : ends) {
    echo_.EndNextFeedWith(end);
    grpc::ClientContext context;
    Reader watch = stub_->WatchEvents(&context, {});
    EXPECT_FALSE(ReadPositionOf("echo", watch));
    EXPECT_EQ(Reason(watch->Finish()), ReasonOf(end));
  }
}

// What a feed posts as it ends must find the gateway's pool (the sanitizer builds look for that).
TEST_F(EventMergeTest, GatewayGoesWhileEventsAreWatched) {
  for (int round = 0; round < 20; ++round) {
    std::unique_ptr<GatewayServer> gateway = StartGateway();
    ASSERT_TRUE(gateway != nullptr);
    const auto stub = StubOf(*gateway);
    grpc::ClientContext context;
    Reader watch = stub->WatchEvents(&context, {});
    ASSERT_TRUE(ReadPositionOf("time", watch));
    gateway->Stop(absl::ZeroDuration());
    gateway.reset();
    pb::WatchEventsResponse message;
    while (watch->Read(&message)) {
    }
    EXPECT_EQ(Reason(watch->Finish()), "DRAINING");
  }
}

}  // namespace
}  // namespace rawgate::gateway
