#include "gateway/address_resolver.h"

#include <atomic>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::gateway {
namespace {

using ::testing::AnyOf;
using ::testing::Each;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(AddressResolverTest, LooksUpAsTheMachineDoes) {
  const auto local = AddressResolver::LookUp("localhost", "50061");
  ASSERT_TRUE(local.ok()) << local.status();
  EXPECT_THAT(*local, Not(IsEmpty()));
  EXPECT_THAT(*local, Each(AnyOf("ipv4:127.0.0.1:50061", "ipv6:[::1]:50061")));
}

// Counts its lookups, which find nothing. The last may end after the resolver's.
class CountingLookup {
 public:
  AddressResolver::Lookup Get() {
    return [state = state_](const std::string& host,
                            const std::string& port) -> AddressResolver::Addresses {
      EXPECT_EQ(host + ":" + port, "echo:1");
      absl::MutexLock lock(&state->mutex);
      ++state->count;
      return std::vector<std::string>();
    };
  }
  bool Reaches(int count) {
    absl::MutexLock lock(&state_->mutex);
    const auto reached = [&] { return state_->count >= count; };
    return state_->mutex.AwaitWithTimeout(absl::Condition(&reached), absl::Seconds(30));
  }

 private:
  struct State {
    absl::Mutex mutex;
    int count = 0;
  };
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

TEST(AddressResolverTest, LooksUpAgainAndAgain) {
  CountingLookup lookup;
  AddressResolver resolver("echo", "1", [](const auto&) {},
                           {.lookup = lookup.Get(),
                            .interval = absl::Milliseconds(1),
                            .urgent_interval = absl::InfiniteDuration()});
  resolver.SetUrgent(false);
  resolver.Start();
  EXPECT_TRUE(lookup.Reaches(3));
  resolver.Stop();
}

TEST(AddressResolverTest, UrgencyHurriesTheNextLookup) {
  CountingLookup lookup;
  AddressResolver resolver("echo", "1", [](const auto&) {},
                           {.lookup = lookup.Get(),
                            .interval = absl::InfiniteDuration(),
                            .urgent_interval = absl::Milliseconds(1)});
  resolver.SetUrgent(false);
  resolver.Start();
  EXPECT_TRUE(lookup.Reaches(1));
  resolver.SetUrgent(true);
  EXPECT_TRUE(lookup.Reaches(3));
  resolver.Stop();
}

TEST(AddressResolverTest, StopDoesNotWaitForALookupAndSilencesIt) {
  // What the thread still uses after the stop must outlive it.
  struct Shared {
    absl::Notification looking;
    absl::Notification go_on;
    absl::Notification gone;
    std::atomic<int> told = 0;
  };
  const auto shared = std::make_shared<Shared>();
  {
    const std::shared_ptr<void> last(nullptr, [shared](void*) { shared->gone.Notify(); });
    AddressResolver resolver(
        "echo", "1", [shared](const auto&) { ++shared->told; },
        {.lookup = [shared, last](const std::string&,
                                  const std::string&) -> AddressResolver::Addresses {
          shared->looking.Notify();
          shared->go_on.WaitForNotification();
          return std::vector<std::string>();
        }});
    resolver.Start();
    shared->looking.WaitForNotification();
    resolver.Stop();
  }
  EXPECT_FALSE(shared->gone.HasBeenNotified());
  shared->go_on.Notify();
  shared->gone.WaitForNotification();
  EXPECT_EQ(shared->told, 0);
}

}  // namespace
}  // namespace rawgate::gateway
