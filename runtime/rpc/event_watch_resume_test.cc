// Watches that go on where another ended, or that have missed something.
#include <string>

#include "gtest/gtest.h"
#include "runtime/rpc/control_test_server.h"
#include "runtime/rpc/event_watch.h"
#include "runtime/rpc/event_watch_testing.h"
#include "runtime/rpc/watch_set.h"

namespace rawgate::rpc {
namespace {

TEST_F(EventWatchTest, ResumesWhereItWas) {
  uint64_t seen = 0;
  {
    Watch watch(server_);
    watch.Next();
    RecordRequest("one");
    seen = watch.Events(1)[0].sequence();
  }
  RecordRequest("two");
  RecordRequest("three");
  pb::WatchEventsRequest request;
  *request.add_after() = Position(seen);
  Watch resumed(server_, request);
  EXPECT_EQ(resumed.Next().positions(0).sequence(), seen + 2) << "where the events stand now";
  const auto events = resumed.Events(2);
  EXPECT_EQ(events[0].sequence(), seen + 1);
  EXPECT_EQ(events[0].request_served().summary(), "two");
  EXPECT_EQ(events[1].request_served().summary(), "three");
}

TEST_F(EventWatchTest, TellsOnResumingHowManyAreGone) {
  const uint64_t seen = Newest();
  for (int i = 0; i < 5; ++i) RecordRequest("nobody watches");
  pb::WatchEventsRequest request;
  *request.add_after() = Position(seen);
  Watch watch(server_, request);
  watch.Next();
  const pb::WatchEventsResponse response = watch.Next();
  ASSERT_EQ(response.lost_size(), 1);
  EXPECT_EQ(response.lost(0).service(), "fake");
  EXPECT_EQ(response.lost(0).instance(), server_.service.instance());
  EXPECT_EQ(response.lost(0).count(), 5u);
  RecordRequest("next");
  EXPECT_EQ(watch.Events(1)[0].sequence(), seen + 6);
}

TEST_F(EventWatchTest, APositionOfAnotherInstanceIsLostAndOfAnotherServiceIgnored) {
  pb::WatchEventsRequest request;
  auto& gone = *request.add_after();
  gone.set_service("fake");
  gone.set_instance("an earlier one");
  gone.set_sequence(77);
  auto& foreign = *request.add_after();
  foreign.set_service("other");
  foreign.set_instance("whatever");
  foreign.set_sequence(1);
  const uint64_t now = Newest();
  Watch watch(server_, request);
  const pb::WatchEventsResponse first = watch.Next();
  EXPECT_EQ(first.positions(0).sequence(), now);
  ASSERT_EQ(first.lost_size(), 1);
  EXPECT_EQ(first.lost(0).service(), "fake");
  EXPECT_EQ(first.lost(0).instance(), "an earlier one");
  EXPECT_EQ(first.lost(0).count(), 0u);
  RecordRequest("next");
  EXPECT_EQ(watch.Events(1)[0].sequence(), now + 1);
}

TEST_F(EventWatchTest, APositionInTheFutureStartsFromNow) {
  pb::WatchEventsRequest request;
  *request.add_after() = Position(std::numeric_limits<uint64_t>::max());
  Watch watch(server_, request);
  const uint64_t now = watch.Next().positions(0).sequence();
  RecordRequest("next");
  EXPECT_EQ(watch.Events(1)[0].sequence(), now + 1);
}

class SlowEventWatchTest : public EventWatchTest {
 protected:
  SlowEventWatchTest() : EventWatchTest(64) {}
};

// Far more events than fit into the log, the queue and HTTP/2's window: what comes and what is told
// as lost make up all.
TEST_F(SlowEventWatchTest, ASlowWatcherIsToldHowMuchItLost) {
  constexpr uint64_t kEvents = 100'000;
  Watch watch(server_);
  const uint64_t start = watch.Next().positions(0).sequence();
  const std::string summary(200, 's');
  for (uint64_t i = 0; i < kEvents; ++i) RecordRequest(summary);
  uint64_t seen = 0, lost = 0, last = start;
  while (seen + lost < kEvents && !HasFailure()) {
    const pb::WatchEventsResponse response = watch.Next();
    // What was lost comes before the events of the same message.
    for (const pb::EventsLost& one : response.lost()) {
      lost += one.count();
      last += one.count();
    }
    for (const pb::Event& event : response.events()) {
      ASSERT_EQ(event.sequence(), ++last);
      ++seen;
    }
  }
  EXPECT_GT(lost, 0u);
  EXPECT_EQ(seen + lost, kEvents);
}

}  // namespace
}  // namespace rawgate::rpc
