#include "runtime/host/watchdog.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/testing/raw_client.h"

namespace rawgate::host {
namespace {

using ::rawgate::testing::Eventually;

constexpr absl::Duration kTimeout = absl::Milliseconds(30);

// A thread that waits for SIGUSR1 of its own, under a watchdog.
class WatchdogTest : public ::testing::Test {
 protected:
  void Wait(absl::Duration timeout, const AskLoops& ask_loops) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    thread_ = std::thread([this, signals, timeout, ask_loops] {
      got_ = AwaitSignal(signals, timeout, ask_loops, [this] { ++said_; });
    });
  }
  int Signal() {
    ::pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
    return got_;
  }

  std::thread thread_;
  std::atomic<int> said_{0};
  int got_ = 0;
};

TEST_F(WatchdogTest, HearsOfAProcessWhoseLoopsAnswer) {
  Wait(kTimeout, [](const std::shared_ptr<void>&) {});
  EXPECT_TRUE(Eventually([&] { return said_ >= 3; }));
  EXPECT_EQ(Signal(), SIGUSR1);
}

TEST_F(WatchdogTest, HearsNothingWhileOneLoopIsStuckAndIsAskedOnce) {
  std::atomic<int> asked{0};
  std::shared_ptr<void> stuck;
  std::atomic<int> looked{0};
  Wait(kTimeout, [&](const std::shared_ptr<void>& token) {
    ++asked;
    // The other one answers at once.
    if (stuck == nullptr && said_ == 1) stuck = token;
    ++looked;
  });
  EXPECT_TRUE(Eventually([&] { return looked >= 2; }));
  // Both are waited for by nobody else now.
  EXPECT_EQ(Signal(), SIGUSR1);
  EXPECT_EQ(said_, 1);
  EXPECT_EQ(asked, 2);
}

TEST_F(WatchdogTest, HearsAgainOfALoopThatWasStuckForAWhile) {
  std::vector<std::shared_ptr<void>> held;
  std::atomic<int> asked{0};
  std::atomic<bool> released{false};
  Wait(kTimeout, [&](const std::shared_ptr<void>& token) {
    if (!released) held.push_back(token);
    ++asked;
  });
  EXPECT_TRUE(Eventually([&] { return asked == 1; }));
  EXPECT_EQ(said_, 0);
  released = true;
  held.clear();
  EXPECT_TRUE(Eventually([&] { return said_ >= 2; }));
  EXPECT_EQ(Signal(), SIGUSR1);
}

TEST_F(WatchdogTest, WithoutOneNobodyIsAsked) {
  std::atomic<int> asked{0};
  Wait(absl::ZeroDuration(), [&](const std::shared_ptr<void>&) { ++asked; });
  EXPECT_EQ(Signal(), SIGUSR1);
  EXPECT_EQ(asked, 0);
}

}  // namespace
}  // namespace rawgate::host
