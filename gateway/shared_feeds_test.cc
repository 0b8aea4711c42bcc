#include "gateway/shared_feeds.h"

#include <list>
#include <memory>
#include <optional>

#include "gateway/control_fixture.h"
#include "gateway/feed_places.h"
#include "gtest/gtest.h"

namespace rawgate::gateway {
namespace {

namespace pb = control::v1;
// Clients of the gateway that watch "echo".
class SharedFeedsTest : public ControlTest {
 protected:
  class Watch {
   public:
    explicit Watch(pb::ControlService::Stub& stub, bool include_chunks = false,
                   std::optional<uint64_t> after = {})
        : last_(after.value_or(0)), resumes_(after.has_value()) {
      pb::WatchEventsRequest request;
      request.add_services("echo");
      if (resumes_) {
        request.add_after()->set_service("echo");
        request.mutable_after(0)->set_sequence(last_);
      }
      request.set_include_chunks(include_chunks);
      context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
      reader_ = stub.WatchEvents(&context_, request);
    }
    ~Watch() { context_.TryCancel(); }

    // Reads until an event of this number, or the position, is told. False: there was a gap, or the
    // watch ended.
    bool ReadTo(uint64_t sequence) {
      pb::WatchEventsResponse message;
      while (last_ < sequence || !began_) {
        if (!reader_->Read(&message)) return false;
        began_ = true;
        for (const pb::EventPosition& position : message.positions()) {
          // Whoever resumes is told next what lies before it.
          if (!resumes_) last_ = position.sequence();
        }
        if (!message.lost().empty()) return false;
        for (const pb::Event& event : message.events()) {
          // Who had to wait for a place is told when it has one.
          if (event.has_reachability_changed()) continue;
          if (event.sequence() != ++last_) return false;
        }
      }
      return true;
    }

   private:
    grpc::ClientContext context_;
    std::unique_ptr<grpc::ClientReader<pb::WatchEventsResponse>> reader_;
    uint64_t last_;
    const bool resumes_;
    bool began_ = false;
  };
};

TEST_F(SharedFeedsTest, ClientsThatKeepUpShareOneStream) {
  std::list<Watch> watches;
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(watches.emplace_back(*stub_).ReadTo(0));
    echo_.events += 3;
  }
  for (Watch& watch : watches) EXPECT_TRUE(watch.ReadTo(60));
  EXPECT_EQ(echo_.feeds, 1);
}

TEST_F(SharedFeedsTest, WhoWatchesOtherwiseHasAnotherStream) {
  Watch plain(*stub_), with_chunks(*stub_, /*include_chunks=*/true);
  ASSERT_TRUE(plain.ReadTo(0) && with_chunks.ReadTo(0));
  echo_.events = 2;
  EXPECT_TRUE(plain.ReadTo(2) && with_chunks.ReadTo(2));
  EXPECT_EQ(echo_.feeds, 2);
}

TEST_F(SharedFeedsTest, OneThatEndsIsOpenedAgainForTheNextClient) {
  { ASSERT_TRUE(Watch(*stub_).ReadTo(0)); }
  echo_.events = 5;
  ASSERT_TRUE(Eventually([&] {
    Watch watch(*stub_);
    return watch.ReadTo(5) && echo_.feeds > 1;
  })) << "the first one goes with its last reader";
}

TEST_F(SharedFeedsTest, ClientThatDoesNotReadHoldsNobodyUpAndMissesNothingThatIsKept) {
  Watch stuck(*stub_), other(*stub_);
  ASSERT_TRUE(stuck.ReadTo(0) && other.ReadTo(0));
  // More than all windows and queues on the way hold.
  for (int i = 0; i < 1000; ++i) {
    echo_.events += 1000;
    ASSERT_TRUE(other.ReadTo(echo_.events));
  }
  EXPECT_EQ(echo_.feeds, 1);
  EXPECT_TRUE(stuck.ReadTo(echo_.events));
  EXPECT_EQ(echo_.feeds, 2) << "it went on with a stream of its own";
  echo_.events += 1;
  EXPECT_TRUE(stuck.ReadTo(echo_.events));
  EXPECT_TRUE(other.ReadTo(echo_.events));
  EXPECT_TRUE(Eventually([&] { return echo_.open_feeds == 1; })) << "and came back";
  echo_.events += 1000;
  EXPECT_TRUE(stuck.ReadTo(echo_.events));
  EXPECT_TRUE(other.ReadTo(echo_.events));
  EXPECT_EQ(echo_.feeds, 2);
}

TEST_F(SharedFeedsTest, ClientsThatResumeShareOneStreamOnceTheyHaveCaughtUp) {
  echo_.events = 100;
  std::list<Watch> watches;
  for (uint64_t i = 0; i < 20; ++i) {
    Watch& watch = watches.emplace_back(*stub_, /*include_chunks=*/false, /*after=*/i);
    // Also while events come.
    echo_.events += 7;
    ASSERT_TRUE(watch.ReadTo(echo_.events));
  }
  EXPECT_TRUE(Eventually([&] { return echo_.open_feeds == 1; }));
  echo_.events += 1000;
  for (Watch& watch : watches) EXPECT_TRUE(watch.ReadTo(echo_.events));
}

// More than there are places.
TEST_F(SharedFeedsTest, ClientsThatResumeTogetherTakeTurns) {
  echo_.events = 1000;
  std::list<Watch> watches;
  for (size_t i = 0; i < 3 * FeedPlaces::kPlacesMax / 2; ++i)
    watches.emplace_back(*stub_, /*include_chunks=*/false, /*after=*/1);
  for (Watch& watch : watches) EXPECT_TRUE(watch.ReadTo(1000));
  EXPECT_TRUE(Eventually([&] { return echo_.open_feeds == 1; }));
}

TEST(FeedPlacesTest, ThereAreOnlySoManyForOneReplica) {
  FeedPlaces places;
  const auto replica = [](const char* address) {
    return Replica({.name = "echo", .address = address, .authority = ""},
                   grpc::InsecureChannelCredentials(), [](const pb::Service&) {});
  };
  const Replica one = replica("unix:/nowhere/1"), two = replica("unix:/nowhere/2");
  std::list<FeedPlaces::Place> taken;
  for (size_t i = 0; i < FeedPlaces::kPlacesMax; ++i)
    ASSERT_TRUE(taken.emplace_back(places.Take(one)));
  EXPECT_FALSE(places.Take(one));
  EXPECT_TRUE(places.Take(two));
  taken.pop_back();
  EXPECT_TRUE(places.Take(one));
}

}  // namespace
}  // namespace rawgate::gateway
