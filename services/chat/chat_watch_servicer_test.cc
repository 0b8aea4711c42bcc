// Operators' watches, through a real server.
#include "services/chat/chat_watch_servicer.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"
#include "runtime/testing/raw_client.h"
#include "services/chat/chat_servicer_testing.h"

namespace rawgate::chat {
namespace {

// An operator's watch.
struct Watch {
  Watch(v1::ChatService::Stub& stub, uint64_t after, const std::string& session_id) {
    v1::WatchMessagesRequest request;
    request.set_after_number(after);
    request.set_session_id(session_id);
    reader = stub.WatchMessages(&context, request);
  }
  // The next update: a body, "lost N", "caught up"; the reason once the stream has ended.
  std::string Next() {
    v1::WatchMessagesResponse response;
    if (!reader->Read(&response)) {
      status = rpc::FromGrpc(reader->Finish());
      return ReasonOf(status);
    }
    if (response.has_message()) return response.message().body();
    if (response.caught_up()) return "caught up";
    return absl::StrCat("lost ", response.lost_messages());
  }

  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReader<v1::WatchMessagesResponse>> reader;
  absl::Status status;
};

TEST_F(ChatServicerTest, AWatchReplaysThenFollows) {
  Hear("a", "kept");
  Watch watch(*stub_, 0, "");
  EXPECT_EQ(watch.Next(), "kept");
  EXPECT_EQ(watch.Next(), "caught up");
  Hear("b", "live");
  EXPECT_EQ(watch.Next(), "live");
}

TEST_F(ChatServicerTest, AWatchReplaysMoreThanFitsInItsQueue) {
  for (int i = 0; i < 1000; ++i) Hear(absl::StrCat(i % 10), absl::StrCat(i));
  Watch watch(*stub_, 0, "");
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(watch.Next(), absl::StrCat(i));
  EXPECT_EQ(watch.Next(), "caught up");
}

TEST_F(ChatServicerTest, AWatchIsToldWhatItMissed) {
  for (int i = 1; i <= 103; ++i) Hear("a", absl::StrCat(i));
  Watch watch(*stub_, 1, "a");
  EXPECT_EQ(watch.Next(), "lost 2");
  EXPECT_EQ(watch.Next(), "4");
}

TEST_F(ChatServicerTest, WatchesAreBounded) {
  std::vector<std::unique_ptr<Watch>> watches;
  for (size_t i = 0; i < ChatLimits().watchers; ++i) {
    watches.push_back(std::make_unique<Watch>(*stub_, 0, ""));
    ASSERT_EQ(watches.back()->Next(), "caught up");
  }
  Watch one_more(*stub_, 0, "");
  EXPECT_EQ(one_more.Next(), "TOO_MANY_WATCHERS");
  EXPECT_TRUE(RetryAfterOf(one_more.status).has_value());

  watches.back()->context.TryCancel();
  EXPECT_TRUE(testing::Eventually([&] { return Watch(*stub_, 0, "").Next() == "caught up"; }))
      << "one that has gone makes room";
}

TEST_F(ChatServicerTest, AStopEndsWatchesAtOnce) {
  Watch watch(*stub_, 0, "");
  EXPECT_EQ(watch.Next(), "caught up");
  ASSERT_TRUE(fixture_.Stop(absl::Minutes(10)).ok());
  EXPECT_EQ(watch.Next(), "SERVICE_STOPPED");
  EXPECT_EQ(watch.status.code(), absl::StatusCode::kFailedPrecondition);

  Watch refused(*stub_, 0, "");
  EXPECT_EQ(refused.Next(), "SERVICE_STOPPED");
  EXPECT_EQ(ReasonOf(SendMessage("a", "x")), "SERVICE_STOPPED");

  ASSERT_TRUE(fixture_.Start().ok());
  Hear("a", "again");
  Watch again(*stub_, 0, "");
  EXPECT_EQ(again.Next(), "again");
}

TEST_F(ChatServicerTest, AProcessThatGoesTellsWatchersToTryAgain) {
  Watch watch(*stub_, 0, "");
  EXPECT_EQ(watch.Next(), "caught up");
  fixture_.admission().BeginShutdown();
  ASSERT_TRUE(fixture_.Stop(absl::Minutes(10)).ok());
  EXPECT_EQ(watch.Next(), "DRAINING");
  EXPECT_EQ(watch.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(RetryAfterOf(watch.status).has_value());
}

TEST_F(ChatServicerTest, AnOperatorsCloseEndsAWatchWithItsReason) {
  Watch watch(*stub_, 0, "");
  EXPECT_EQ(watch.Next(), "caught up");
  std::vector<net::ConnectionInfo> rows;
  fixture_.admission().List(0, 10, &rows);
  EXPECT_TRUE(fixture_.admission().Cancel(rows.at(0).id));
  EXPECT_EQ(watch.Next(), "CLOSED_BY_OPERATOR");
  EXPECT_EQ(watch.status.code(), absl::StatusCode::kCancelled);
}

TEST_F(ChatServicerTest, WatchersThatVanishLeaveNothingBehind) {
  for (int i = 0; i < 200; ++i) {
    Watch watch(*stub_, 0, "");
    if (i % 2 == 0) watch.Next();
    watch.context.TryCancel();
  }
  // Were they still there, this one would be refused.
  EXPECT_TRUE(testing::Eventually([&] { return Watch(*stub_, 0, "").Next() == "caught up"; }));
}

}  // namespace
}  // namespace rawgate::chat
