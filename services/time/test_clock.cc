#include "services/time/test_clock.h"

#include <utility>

namespace rawgate::timesvc {
namespace {

absl::Time Told(const ClockSetting& setting, absl::Time set_at, absl::Time real) {
  const double speed = setting.Speed();
  // Not by way of a floating-point number where that is not needed: those lose nanoseconds.
  if (speed == 1) return real + setting.offset;
  const absl::Time origin = set_at + setting.offset;
  return speed == 0 ? origin : origin + (real - set_at) * speed;
}

}  // namespace

TestClock::Subscription::Subscription(Subscription&& other) noexcept
    : clock_(std::exchange(other.clock_, nullptr)), callback_(other.callback_) {}

TestClock::Subscription& TestClock::Subscription::operator=(Subscription&& other) noexcept {
  if (this == &other) return *this;
  End();
  clock_ = std::exchange(other.clock_, nullptr);
  callback_ = other.callback_;
  return *this;
}

TestClock::Subscription::~Subscription() { End(); }

void TestClock::Subscription::End() {
  if (clock_ == nullptr) return;
  absl::MutexLock lock(&clock_->callbacks_mutex_);
  clock_->callbacks_.erase(callback_);
  clock_ = nullptr;
}

absl::Time TestClock::At(absl::Time real) const {
  if (!active()) return real;
  absl::ReaderMutexLock lock(&mutex_);
  return Told(setting_, set_at_, real);
}

absl::Status TestClock::Set(ClockSetting setting) {
  if (absl::Status status = setting.Check(); !status.ok()) return status;
  absl::MutexLock callbacks_lock(&callbacks_mutex_);
  {
    absl::MutexLock lock(&mutex_);
    setting_ = std::move(setting);
    set_at_ = real_.Now();
    active_.store(!setting_.IsReal(), std::memory_order_release);
  }
  for (const std::function<void()>& changed : callbacks_) changed();
  return absl::OkStatus();
}

ClockSetting TestClock::setting() const {
  absl::ReaderMutexLock lock(&mutex_);
  return setting_;
}

absl::Duration TestClock::RealTimeUntil(absl::Time told) const {
  absl::ReaderMutexLock lock(&mutex_);
  const absl::Duration ahead = told - Told(setting_, set_at_, real_.Now());
  if (ahead <= absl::ZeroDuration()) return absl::ZeroDuration();
  const double speed = setting_.Speed();
  if (speed == 1) return ahead;
  return speed == 0 ? absl::InfiniteDuration() : ahead / speed;
}

TestClock::Subscription TestClock::Subscribe(std::function<void()> changed) {
  absl::MutexLock lock(&callbacks_mutex_);
  callbacks_.push_front(std::move(changed));
  return Subscription(*this, callbacks_.begin());
}

}  // namespace rawgate::timesvc
