#include "runtime/rpc/lane.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "grpc/grpc.h"
#include "grpcpp/alarm.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "runtime/rpc/coroutine.h"

namespace rawgate::rpc {
namespace {

// A queue belongs to a builder, but needs no server for alarms.
class LaneTest : public testing::Test {
 protected:
  auto Expire(grpc::Alarm& alarm) {
    return Operation([this, &alarm](void* tag) {
      alarm.Set(lane_.queue(), std::chrono::system_clock::now() + std::chrono::milliseconds(1),
                tag);
    });
  }
  auto WaitForCancel(grpc::Alarm& alarm) {
    return Operation([this, &alarm](void* tag) {
      alarm.Set(lane_.queue(), gpr_inf_future(GPR_CLOCK_REALTIME), tag);
    });
  }

  // Starts `operations` one after another; gRPC ends the process if one comes after the queue's
  // shutdown.
  RootTask Occupy(int operations) {
    const Lane::Occupant occupant(lane_);
    for (int i = 0; i < operations; ++i) {
      grpc::Alarm alarm;
      EXPECT_TRUE(co_await Expire(alarm));
      if (std::this_thread::get_id() == test_) elsewhere_ = false;
    }
    ++ended_;
  }
  // Another begins before this one ends, as with calls that are accepted.
  RootTask OccupyInTurns(int turns) {
    const Lane::Occupant occupant(lane_);
    grpc::Alarm alarm;
    EXPECT_TRUE(co_await Expire(alarm));
    if (turns > 1) OccupyInTurns(turns - 1);
    ++ended_;
  }
  RootTask OccupyUntil(grpc::Alarm& order) {
    const Lane::Occupant occupant(lane_);
    EXPECT_FALSE(co_await WaitForCancel(order));
    EXPECT_FALSE(joined_);
    ++ended_;
  }
  RootTask AwaitOrder(grpc::Alarm& order) {
    EXPECT_FALSE(co_await WaitForCancel(order));
    ++ended_;
  }

  const bool library_is_up_ = (grpc_init(), true);
  const std::thread::id test_ = std::this_thread::get_id();
  grpc::ServerBuilder builder_;
  Lane lane_{builder_.AddCompletionQueue()};
  // Written on the lane's thread, read after it was joined.
  int ended_ = 0;
  bool elsewhere_ = true;
  std::atomic<bool> joined_ = false;
};

TEST_F(LaneTest, JoinWaitsForEveryOccupant) {
  constexpr int kOccupants = 20;
  for (int i = 0; i < kOccupants; ++i) Occupy(10);
  lane_.Start();
  lane_.Join();
  EXPECT_EQ(ended_, kOccupants);
  EXPECT_TRUE(elsewhere_);
}

TEST_F(LaneTest, OccupantsThatComeLaterCount) {
  OccupyInTurns(30);
  lane_.Start();
  lane_.Join();
  EXPECT_EQ(ended_, 30);
}

TEST_F(LaneTest, JoinIsNotOverBeforeTheLastOccupantHasGone) {
  grpc::Alarm order;
  OccupyUntil(order);
  lane_.Start();
  std::thread joiner([this] {
    lane_.Join();
    joined_ = true;
  });
  order.Cancel();
  joiner.join();
  EXPECT_EQ(ended_, 1);
}

// What holds no place may start nothing more, but what it has started is delivered before the lane
// ends.
TEST_F(LaneTest, OperationsThatAreOutAtTheEndAreDelivered) {
  grpc::Alarm order;
  AwaitOrder(order);
  Occupy(1);
  lane_.Start();
  std::thread joiner([this] { lane_.Join(); });
  order.Cancel();
  joiner.join();
  EXPECT_EQ(ended_, 2);
}

TEST_F(LaneTest, NeverStarted) { EXPECT_NE(lane_.queue(), nullptr); }

}  // namespace
}  // namespace rawgate::rpc
