#include "gateway/shared_feeds.h"

#include <list>
#include <memory>

#include "gateway/control_fixture.h"
#include "gtest/gtest.h"

namespace rawgate::gateway {
namespace {

namespace pb = control::v1;
// Clients of the gateway that watch "echo".
class SharedFeedsTest : public ControlTest {
 protected:
  class Watch {
   public:
    explicit Watch(pb::ControlService::Stub& stub, bool include_chunks = false) {
      pb::WatchEventsRequest request;
      request.add_services("echo");
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
        for (const pb::EventPosition& position : message.positions()) last_ = position.sequence();
        for (const pb::Event& event : message.events()) {
          if (event.sequence() != ++last_) return false;
        }
      }
      return true;
    }

   private:
    grpc::ClientContext context_;
    std::unique_ptr<grpc::ClientReader<pb::WatchEventsResponse>> reader_;
    uint64_t last_ = 0;
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
}

}  // namespace
}  // namespace rawgate::gateway
