#include "gateway/event_positions.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace rawgate::gateway {
namespace {

namespace pb = control::v1;

class EventPositionsTest : public ::testing::Test {
 protected:
  static pb::EventPosition Position(const std::string& instance, uint64_t sequence,
                                    const std::string& service = "echo") {
    pb::EventPosition position;
    position.set_service(service);
    position.set_instance(instance);
    position.set_sequence(sequence);
    return position;
  }
  static pb::WatchEventsResponse Begin(const std::string& instance, uint64_t sequence) {
    pb::WatchEventsResponse message;
    *message.add_positions() = Position(instance, sequence);
    return message;
  }
  static pb::WatchEventsResponse Events(const std::string& instance, uint64_t first,
                                        uint64_t last) {
    pb::WatchEventsResponse message;
    for (uint64_t i = first; i <= last; ++i) {
      message.add_events()->set_service("echo");
      message.mutable_events()->rbegin()->set_instance(instance);
      message.mutable_events()->rbegin()->set_sequence(i);
    }
    return message;
  }
  static pb::WatchEventsResponse Lost(const std::string& instance, uint64_t count) {
    pb::WatchEventsResponse message;
    message.add_lost()->set_service("echo");
    message.mutable_lost(0)->set_instance(instance);
    message.mutable_lost(0)->set_count(count);
    return message;
  }
  // -1: unknown.
  int64_t After(const std::string& instance, const std::string& service = "echo") {
    pb::WatchEventsRequest request;
    if (!positions_.AddTo(request, service, instance)) return -1;
    EXPECT_EQ(request.after(0).instance(), instance);
    return static_cast<int64_t>(request.after(0).sequence());
  }
  pb::WatchEventsResponse Take(pb::WatchEventsResponse message, const std::string& resumed = "") {
    positions_.Take(message, resumed);
    return message;
  }

  EventPositions positions_{
      std::vector{Position("a", 5), Position("b", 7), Position("c", 9, "elsewhere")},
      {"echo", "time"}};
};

TEST_F(EventPositionsTest, EachProcessGoesOnWhereItWas) {
  EXPECT_EQ(After("a"), 5);
  EXPECT_EQ(After("b"), 7);
  EXPECT_EQ(After("c"), -1);
  EXPECT_EQ(After("a", "time"), -1);
  Take(Events("a", 6, 9));
  EXPECT_EQ(After("a"), 9);
  EXPECT_EQ(After("b"), 7);
  Take(Begin("c", 3));
  EXPECT_EQ(After("c"), 3);
}

TEST_F(EventPositionsTest, ServicesThatAreNotWatchedAreNotKept) {
  EXPECT_EQ(After("c", "elsewhere"), -1);
}

TEST_F(EventPositionsTest, StreamThatBreaksOffBeforeItHasResumedHasSkippedNothing) {
  EXPECT_TRUE(Take(Begin("a", 20), "a").lost().empty());
  EXPECT_EQ(After("a"), 5);
  Take(Lost("a", 10), "a");
  EXPECT_EQ(After("a"), 15);
  Take(Events("a", 16, 17), "a");
  EXPECT_EQ(After("a"), 17);
}

TEST_F(EventPositionsTest, ProcessThatIsOnlyFoundOutOnItsStreamHasSkippedEvents) {
  const auto told = Take(Begin("a", 20), "x");
  ASSERT_EQ(told.lost_size(), 1);
  EXPECT_EQ(told.lost(0).instance(), "a");
  EXPECT_EQ(told.lost(0).count(), 15U);
  EXPECT_EQ(After("a"), 20);
  EXPECT_TRUE(Take(Begin("b", 7)).lost().empty());
}

TEST_F(EventPositionsTest, ProcessThatSaysItIsAnotherIsForgotten) {
  Take(Lost("a", 0), "a");
  EXPECT_EQ(After("a"), -1);
}

TEST_F(EventPositionsTest, ThoseThatAreGoneAreLostOnce) {
  Take(Begin("c", 3));
  pb::WatchEventsResponse message;
  positions_.Forget("time", {}, message);
  EXPECT_TRUE(message.lost().empty());
  positions_.Forget("echo", {"b"}, message);
  ASSERT_EQ(message.lost_size(), 2);
  EXPECT_EQ(message.lost(0).instance(), "a");
  EXPECT_EQ(message.lost(0).count(), 0U);
  EXPECT_EQ(message.lost(1).instance(), "c");
  EXPECT_EQ(After("b"), 7);
  message.Clear();
  positions_.Forget("echo", {"b"}, message);
  EXPECT_TRUE(message.lost().empty());
}

}  // namespace
}  // namespace rawgate::gateway
