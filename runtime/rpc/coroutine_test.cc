#include "runtime/rpc/coroutine.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "grpc/grpc.h"
#include "grpcpp/alarm.h"
#include "grpcpp/completion_queue.h"
#include "gtest/gtest.h"

namespace rawgate::rpc {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// The test polls the queue itself, one completion at a time.
class CoroutineTest : public testing::Test {
 protected:
  CoroutineTest() = default;
  ~CoroutineTest() override {
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    EXPECT_FALSE(queue_.Next(&tag, &ok)) << "an operation was never delivered";
  }

  // Ends with `ok` by Fire(), without by Cancel().
  auto Wait(grpc::Alarm& alarm) {
    return Operation([this, &alarm](void* tag) {
      log_.emplace_back("start");
      alarm.Set(&queue_, gpr_inf_future(GPR_CLOCK_REALTIME), tag);
    });
  }
  // Is over as soon as the queue is polled.
  auto Expire(grpc::Alarm& alarm) {
    return Operation(
        [this, &alarm](void* tag) { alarm.Set(&queue_, gpr_now(GPR_CLOCK_REALTIME), tag); });
  }
  void Deliver() {
    void* tag = nullptr;
    bool ok = false;
    ASSERT_TRUE(queue_.Next(&tag, &ok));
    static_cast<Completion*>(tag)->Deliver(ok);
  }
  void DeliverCancelled(grpc::Alarm& alarm) {
    alarm.Cancel();
    Deliver();
  }

  Task Await(grpc::Alarm& alarm, std::string name) {
    log_.push_back(name + " begins");
    const bool ok = co_await Wait(alarm);
    log_.push_back(name + (ok ? " expired" : " cancelled"));
  }
  RootTask Run(Task task) {
    co_await task;
    log_.emplace_back("all done");
  }
  RootTask StoreExpiry() { results_.push_back(co_await Expire(first_)); }
  RootTask StoreWait() { results_.push_back(co_await Wait(second_)); }
  RootTask ExpireInTurns(int times) {
    for (int i = 0; i < times; ++i) {
      grpc::Alarm alarm;
      results_.push_back(co_await Expire(alarm));
    }
  }
  RootTask Hold(std::shared_ptr<int> held) {
    co_await Expire(first_);
    static_cast<void>(held);
  }

  const bool library_is_up_ = (grpc_init(), true);
  grpc::CompletionQueue queue_;
  grpc::Alarm first_;
  grpc::Alarm second_;
  std::vector<std::string> log_;
  std::vector<bool> results_;
};

TEST_F(CoroutineTest, OperationTellsWhatTheQueueSays) {
  StoreExpiry();
  EXPECT_THAT(results_, IsEmpty());
  Deliver();
  EXPECT_THAT(results_, ElementsAre(true));
  StoreWait();
  DeliverCancelled(second_);
  EXPECT_THAT(results_, ElementsAre(true, false));
}

TEST_F(CoroutineTest, OperationStartsWhenItIsAwaited) {
  // Never awaited, so nothing is left to deliver.
  [[maybe_unused]] const auto operation = Wait(first_);
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(CoroutineTest, OperationsOneAfterAnother) {
  constexpr int kTimes = 1'000;
  ExpireInTurns(kTimes);
  for (int i = 0; i < kTimes; ++i) {
    EXPECT_EQ(results_.size(), static_cast<size_t>(i));
    Deliver();
  }
  EXPECT_THAT(results_, SizeIs(kTimes));
  EXPECT_THAT(results_, Each(true));
}

TEST_F(CoroutineTest, TaskBeginsAtOnceAndIsAwaitedLater) {
  Run(Await(first_, "a"));
  EXPECT_THAT(log_, ElementsAre("a begins", "start"));
  DeliverCancelled(first_);
  EXPECT_THAT(log_, ElementsAre("a begins", "start", "a cancelled", "all done"));
}

TEST_F(CoroutineTest, TaskThatHasEndedDoesNotSuspendItsWaiter) {
  const auto end = [](std::vector<std::string>* log) -> Task {
    log->emplace_back("ended");
    co_return;
  };
  Run(end(&log_));
  EXPECT_THAT(log_, ElementsAre("ended", "all done"));
}

// The way a stream is forwarded: two directions at once, one awaited first.
class SideBySide : public CoroutineTest {
 protected:
  Task Both() {
    Task second = Await(second_, "b");
    co_await Await(first_, "a");
    log_.emplace_back("a awaited");
    co_await second;
  }
};

TEST_F(SideBySide, TheAwaitedOneEndsFirst) {
  Run(Both());
  EXPECT_THAT(log_, ElementsAre("b begins", "start", "a begins", "start"));
  log_.clear();
  DeliverCancelled(first_);
  EXPECT_THAT(log_, ElementsAre("a cancelled", "a awaited"));
  DeliverCancelled(second_);
  EXPECT_THAT(log_, ElementsAre("a cancelled", "a awaited", "b cancelled", "all done"));
}

TEST_F(SideBySide, TheOtherEndsFirst) {
  Run(Both());
  log_.clear();
  DeliverCancelled(second_);
  EXPECT_THAT(log_, ElementsAre("b cancelled"));
  DeliverCancelled(first_);
  EXPECT_THAT(log_, ElementsAre("b cancelled", "a cancelled", "a awaited", "all done"));
}

Task Nested(Task (*self)(int, Task*), int depth, Task* innermost) {
  if (depth == 0) {
    co_await *innermost;
  } else {
    co_await self(depth - 1, innermost);
  }
}

TEST_F(CoroutineTest, TasksInTasksEndFromWithin) {
  struct Chain {
    static Task Link(int depth, Task* innermost) { return Nested(&Link, depth, innermost); }
  };
  Task innermost = Await(first_, "innermost");
  Run(Chain::Link(1'000, &innermost));
  log_.clear();
  DeliverCancelled(first_);
  EXPECT_THAT(log_, ElementsAre("innermost cancelled", "all done"));
}

TEST_F(CoroutineTest, RootTaskTakesItsFrameAlong) {
  const auto held = std::make_shared<int>(0);
  Hold(held);
  EXPECT_GT(held.use_count(), 1);
  Deliver();
  EXPECT_EQ(held.use_count(), 1);
}

using CoroutineDeathTest = CoroutineTest;

TEST_F(CoroutineDeathTest, TaskThatIsDroppedWhileItWaits) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH({ const Task dropped = Await(first_, "dropped"); }, "");
}

}  // namespace
}  // namespace rawgate::rpc
