#include "runtime/rpc/latecomers.h"

#include <thread>

#include "gtest/gtest.h"

namespace rawgate::rpc {
namespace {

TEST(LatecomersTest, WithoutAnyTheWaitIsOver) {
  Latecomers latecomers;
  latecomers.Note();
  latecomers.AwaitNone(absl::InfiniteFuture());
}

TEST(LatecomersTest, ThoseThatNeverEndAreNotAwaitedForEver) {
  Latecomers latecomers;
  std::atomic<bool> stop = false;
  std::thread endless([&] {
    while (!stop) latecomers.Note();
  });
  const absl::Time deadline = absl::Now() + 3 * Latecomers::kQuiet;
  latecomers.AwaitNone(deadline);
  EXPECT_GE(absl::Now(), deadline) << "they were still coming";
  stop = true;
  endless.join();
}

}  // namespace
}  // namespace rawgate::rpc
