// A clock that can be wrong on purpose, so that people can see what their clients make of it.
#pragma once

#include <atomic>
#include <functional>
#include <list>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "runtime/base/clock.h"
#include "services/time/clock_setting.h"

namespace rawgate::timesvc {

// Any thread.
class TestClock final : public Clock {
 public:
  // Ends, when it is destroyed, what Subscribe() began: the callback neither runs nor will run
  // afterwards. The clock outlives it. Not to be destroyed by a callback.
  class Subscription {
   public:
    Subscription() = default;
    Subscription(Subscription&& other) noexcept;
    Subscription& operator=(Subscription&& other) noexcept;
    ~Subscription();

   private:
    friend class TestClock;
    using Callbacks = std::list<std::function<void()>>;
    Subscription(TestClock& clock, Callbacks::iterator callback)
        : clock_(&clock), callback_(callback) {}
    void End();

    TestClock* clock_ = nullptr;
    Callbacks::iterator callback_;
  };

  // `real` outlives this object. Tells its time until something else is set.
  explicit TestClock(Clock& real) : real_(real) {}

  absl::Time Now() override { return At(real_.Now()); }

  // What this clock says when the machine's says `real`, such as in the kernel's receive stamp. As
  // cheap as reading a variable while the clock is the real one.
  absl::Time At(absl::Time real) const;

  // Replaces what was set before, rate and standstill beginning now, then calls the subscribers. In
  // force when it returns. Errors: as ClockSetting::Check(), and nothing has changed.
  absl::Status Set(ClockSetting setting);

  ClockSetting setting() const;
  // Whether anything is set that is not the truth, be it of NTP only.
  bool active() const { return active_.load(std::memory_order_acquire); }

  // How much time passes until this clock says `told`, as far as is set now; zero when it does or
  // did, infinite when it never will. Rounding may make it a little short: ask again afterwards.
  absl::Duration RealTimeUntil(absl::Time told) const;

  // Calls `changed` after every Set() that succeeds, on the thread that called it. `changed` must
  // neither block nor use Set(), Subscribe() or a Subscription; the clock can be read.
  [[nodiscard]] Subscription Subscribe(std::function<void()> changed);

 private:
  Clock& real_;
  std::atomic<bool> active_ = false;

  // Held while subscribers are called, so that each sees every change, in order. Before mutex_.
  absl::Mutex callbacks_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  Subscription::Callbacks callbacks_ ABSL_GUARDED_BY(callbacks_mutex_);

  mutable absl::Mutex mutex_;
  ClockSetting setting_ ABSL_GUARDED_BY(mutex_);
  // The machine's time at the last Set().
  absl::Time set_at_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rawgate::timesvc
