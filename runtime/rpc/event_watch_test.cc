// WatchEvents, through a real server.
#include "runtime/rpc/event_watch.h"

#include <list>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/rpc/control_test_server.h"
#include "runtime/rpc/event_watch_testing.h"
#include "runtime/rpc/watch_set.h"

namespace rawgate::rpc {
namespace {

using testing::ElementsAre;

TEST_F(EventWatchTest, BeginsWithThePositionAndGoesOnWithoutAGap) {
  RecordRequest("nobody watches");
  const uint64_t before = Newest();
  Watch watch(server_);
  const pb::WatchEventsResponse first = watch.Next();
  ASSERT_EQ(first.positions_size(), 1);
  EXPECT_EQ(first.positions(0).service(), "fake");
  EXPECT_EQ(first.positions(0).instance(), server_.service.instance());
  EXPECT_EQ(first.positions(0).sequence(), before);
  EXPECT_EQ(first.events_size(), 0);
  EXPECT_EQ(first.lost_size(), 0);

  for (int i = 0; i < 1000; ++i) RecordRequest("request");
  uint64_t expected = before;
  for (const pb::Event& event : watch.Events(1000)) {
    ASSERT_EQ(event.sequence(), ++expected);
    ASSERT_EQ(event.service(), "fake");
    ASSERT_EQ(event.instance(), server_.service.instance());
  }
}

TEST_F(EventWatchTest, MessagesAreBounded) {
  Watch watch(server_);
  watch.Next();
  for (int i = 0; i < 3000; ++i) RecordRequest("request");
  int seen = 0;
  while (seen < 3000 && !HasFailure()) {
    const int events = watch.Next().events_size();
    EXPECT_LE(events, static_cast<int>(EventWatch::kBatchMax));
    seen += events;
  }
}

TEST_F(EventWatchTest, TellsEveryKindWithItsFields) {
  Watch watch(server_);
  watch.Next();
  auto& log = server_.events;
  log.Record("tcp", 1, [] {
    return observe::ConnectionOpened{"tcp://[::1]:9", observe::Transport::kTcp};
  });
  log.Record("tcp", 1, [] {
    return observe::ConnectionClosed{observe::CloseReason::kIdle, "too \xff quiet", 1, 2, 3};
  });
  log.Record("udp", 0, [] {
    return observe::DatagramReceived{"udp://127.0.0.1:9", 5, "abcde", "rate"};
  });
  log.Record("udp", 0, [] { return observe::DatagramSent{"udp://127.0.0.1:9", 2}; });
  log.Record("tcp", 2, [] {
    return observe::RequestServed{"get", "NOT_FOUND", absl::Milliseconds(1500)};
  });
  log.Record("raw", 3, [] { return observe::CommandStarted{"job-1", 42, "ls"}; });
  log.Record("raw", 3, [] { return observe::CommandEnded{"job-1", "exited 0", absl::Seconds(2)}; });
  log.Record("tcp", 4, [] { return observe::TransferProgress{"a/b", true, 10, 20}; });
  log.Record("tcp", 0, [] {
    return observe::ListenerStateChanged{observe::State::kFailed, "tcp://127.0.0.1:1", "taken"};
  });
  const auto events = watch.Events(9);
  ASSERT_EQ(events.size(), 9u);
  EXPECT_EQ(events[0].listener(), "tcp");
  EXPECT_EQ(events[0].connection_id(), 1u);
  EXPECT_GT(events[0].time().seconds(), 0);
  EXPECT_EQ(events[0].connection_opened().peer(), "tcp://[::1]:9");
  EXPECT_EQ(events[0].connection_opened().transport(), pb::TRANSPORT_TCP);
  EXPECT_EQ(events[1].connection_closed().reason(), pb::CLOSE_REASON_IDLE);
  EXPECT_EQ(events[1].connection_closed().detail(), "too ? quiet");
  EXPECT_EQ(events[1].connection_closed().bytes_received(), 1u);
  EXPECT_EQ(events[1].connection_closed().bytes_sent(), 2u);
  EXPECT_EQ(events[1].connection_closed().requests(), 3u);
  EXPECT_EQ(events[2].datagram_received().peer(), "udp://127.0.0.1:9");
  EXPECT_EQ(events[2].datagram_received().size(), 5u);
  EXPECT_EQ(events[2].datagram_received().sample(), "") << "not asked for";
  EXPECT_EQ(events[2].datagram_received().dropped(), "rate");
  EXPECT_EQ(events[3].datagram_sent().size(), 2u);
  EXPECT_EQ(events[4].request_served().summary(), "get");
  EXPECT_EQ(events[4].request_served().error_code(), "NOT_FOUND");
  EXPECT_EQ(events[4].request_served().duration().nanos(), 500'000'000);
  EXPECT_EQ(events[5].command_started().pid(), 42);
  EXPECT_EQ(events[5].command_started().summary(), "ls");
  EXPECT_EQ(events[6].command_ended().outcome(), "exited 0");
  EXPECT_EQ(events[6].command_ended().duration().seconds(), 2);
  EXPECT_EQ(events[7].transfer_progress().filename(), "a/b");
  EXPECT_TRUE(events[7].transfer_progress().upload());
  EXPECT_EQ(events[7].transfer_progress().transferred_bytes(), 10u);
  EXPECT_EQ(events[7].transfer_progress().total_bytes(), 20u);
  EXPECT_EQ(events[8].listener_state_changed().state(), pb::SERVICE_STATE_FAILED);
  EXPECT_EQ(events[8].listener_state_changed().last_error(), "taken");
}

TEST_F(EventWatchTest, LeavesChunksOutUnlessAsked) {
  Watch watch(server_);
  watch.Next();
  for (int i = 0; i < 1000; ++i) RecordChunk("hello");
  RecordRequest("after them");
  const auto events = watch.Events(1);
  EXPECT_EQ(events[0].request_served().summary(), "after them");
}

TEST_F(EventWatchTest, TellsChunkSizesAndAsManyBytesAsAsked) {
  pb::WatchEventsRequest request;
  request.set_include_chunks(true);
  request.set_sample_bytes(3);
  Watch some(server_, request);
  request.set_sample_bytes(0);
  Watch none(server_, request);
  request.set_sample_bytes(256);
  Watch all(server_, request);
  some.Next();
  none.Next();
  all.Next();
  const std::string big(1000, 'b');
  RecordChunk("hello");
  RecordChunk(big);
  EXPECT_EQ(none.Events(2)[0].chunk_received().sample(), "");
  const auto sampled = some.Events(2);
  EXPECT_EQ(sampled[0].chunk_received().size(), 5u);
  EXPECT_EQ(sampled[0].chunk_received().sample(), "hel");
  const auto whole = all.Events(2);
  EXPECT_EQ(whole[0].chunk_received().sample(), "hello");
  EXPECT_EQ(whole[1].chunk_received().size(), 1000u);
  EXPECT_EQ(whole[1].chunk_received().sample(), std::string(256, 'b'));
}

TEST_F(EventWatchTest, RefusesTooLargeASample) {
  pb::WatchEventsRequest request;
  request.set_sample_bytes(257);
  Watch watch(server_, request);
  const absl::Status status = watch.End();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(status), "SAMPLE_TOO_LARGE");
  EXPECT_EQ(FieldOf(status), "sample_bytes");
}

TEST_F(EventWatchTest, WatchesTheServicesThatItHas) {
  pb::WatchEventsRequest request;
  request.add_services("fake");
  EXPECT_EQ(Watch(server_, request).Next().positions_size(), 1);
  request.add_services("other");
  const absl::Status status = Watch(server_, request).End();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(status), "SERVICE_NOT_FOUND");
}

TEST_F(EventWatchTest, PositionsAreFewAndOfShortNames) {
  pb::WatchEventsRequest request;
  for (int i = 0; i < kPositionsMax; ++i) *request.add_after() = Position(0);
  request.mutable_after(0)->set_instance(std::string(kInstanceBytesMax, 'x'));
  EXPECT_TRUE(Watch(server_, request).ReadOne());
  *request.add_after() = Position(0);
  EXPECT_EQ(ReasonOf(Watch(server_, request).End()), "BAD_POSITIONS");
  request.clear_after();
  request.add_after()->set_instance(std::string(kInstanceBytesMax + 1, 'x'));
  EXPECT_EQ(ReasonOf(Watch(server_, request).End()), "BAD_POSITIONS");
}

TEST_F(EventWatchTest, RequestThatIsTakenHoldsNothingAnyMore) {
  pb::WatchEventsRequest request;
  request.add_services("fake");
  for (int i = 0; i < kPositionsMax; ++i) *request.add_after() = Position(0);
  const pb::WatchEventsRequest taken = TakeRequest(&request);
  EXPECT_EQ(taken.after_size(), kPositionsMax);
  EXPECT_EQ(request.SpaceUsedLong(), pb::WatchEventsRequest().SpaceUsedLong());
}

TEST_F(EventWatchTest, EndsWhenTheProcessGoes) {
  Watch watch(server_);
  watch.Next();
  server_.control->EndWatches();
  const absl::Status status = watch.End();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(status), "DRAINING");
  EXPECT_NE(RetryAfterOf(status), std::nullopt);
  EXPECT_EQ(ReasonOf(Watch(server_).End()), "DRAINING");
}

TEST_F(EventWatchTest, ThereAreOnlySoMany) {
  std::list<Watch> watches;
  for (size_t i = 0; i < kWatchesMax; ++i) watches.emplace_back(server_).Next();
  const absl::Status status = Watch(server_).End();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(status), "TOO_MANY_WATCHERS");
  EXPECT_NE(RetryAfterOf(status), std::nullopt);
  watches.pop_back();
  EXPECT_TRUE(Eventually([&] { return Watch(server_).ReadOne(); })) << "a place became free";
}

TEST_F(EventWatchTest, CancellationRacesWithEventsAndTheEnd) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> producers;
  for (int i = 0; i < 2; ++i) {
    producers.emplace_back([&] {
      while (!stop) RecordRequest("request");
    });
  }
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
  for (std::thread& producer : producers) producer.join();
}

}  // namespace
}  // namespace rawgate::rpc
