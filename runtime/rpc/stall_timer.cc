#include "runtime/rpc/stall_timer.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "runtime/base/status.h"

namespace rawgate::rpc {

using Clock = std::chrono::steady_clock;

namespace {

// What a flag may hold and a clock cannot count, or would be busy with.
constexpr absl::Duration kTimeoutMin = absl::Milliseconds(1);
constexpr absl::Duration kTimeoutMax = absl::Hours(24 * 365);

}  // namespace

// The timer itself is touched on the loop thread only. It is not set anew for each turn, of which a
// fast transfer has thousands a second: it looks, at most once in `timeout`, what the turn's
// deadline is by now.
class StallTimer::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(Admission& admission, uint64_t call, absl::Duration timeout)
      : admission_(admission),
        call_(call),
        timeout_(std::clamp(timeout, kTimeoutMin, kTimeoutMax)),
        ticks_(absl::ToChronoNanoseconds(timeout_)),
        timer_(admission.service().loop()) {}

  void Start() {
    boost::asio::post(timer_.get_executor(), [self = shared_from_this()] {
      self->WaitUntil(Clock::now() + self->ticks_);
    });
  }
  void Stop() {
    {
      absl::MutexLock lock(&mutex_);
      stopped_ = true;
    }
    boost::asio::post(timer_.get_executor(),
                      [self = shared_from_this()] { self->timer_.cancel(); });
  }
  void SetDeadline(Clock::time_point deadline) {
    deadline_.store(deadline.time_since_epoch().count(), std::memory_order_relaxed);
  }
  Clock::duration ticks() const { return ticks_; }

 private:
  void WaitUntil(Clock::time_point time) {
    timer_.expires_at(time);
    timer_.async_wait(
        [self = shared_from_this()](const boost::system::error_code&) { self->Look(); });
  }

  void Look() {
    const Clock::time_point now = Clock::now();
    const Clock::time_point deadline{Clock::duration(deadline_.load(std::memory_order_relaxed))};
    // Not left before the asking is done: a destructor waits here for that.
    absl::MutexLock lock(&mutex_);
    if (stopped_) return;
    if (deadline > now) return WaitUntil(std::min(deadline, now + ticks_));
    admission_.RequestEnd(call_, Error(absl::StatusCode::kDeadlineExceeded, "STALLED",
                                       absl::StrCat("the client made no progress for ",
                                                    absl::FormatDuration(timeout_))));
  }

  Admission& admission_;
  const uint64_t call_;
  const absl::Duration timeout_;
  const Clock::duration ticks_;
  std::atomic<Clock::rep> deadline_{std::numeric_limits<Clock::rep>::max()};
  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  boost::asio::steady_timer timer_;
};

StallTimer::StallTimer(const Call& call, absl::Duration timeout)
    : impl_(std::make_shared<Impl>(call.admission(), call.id(), timeout)) {
  impl_->Start();
}

StallTimer::~StallTimer() { impl_->Stop(); }

void StallTimer::AwaitClient() { impl_->SetDeadline(Clock::now() + impl_->ticks()); }

void StallTimer::ClientDid() { impl_->SetDeadline(Clock::time_point::max()); }

}  // namespace rawgate::rpc
