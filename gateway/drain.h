// The end of the process, seen from the calls: once it has begun nothing new is admitted, and it
// waits for what was.
#pragma once

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "runtime/rpc/latecomers.h"

namespace rawgate::gateway {

// Thread-safe. Outlives its tickets.
class Drain {
 public:
  // One call in progress, for as long as it lives.
  class Ticket {
   public:
    explicit Ticket(Drain& drain) : drain_(drain) {
      ordinal_ = ++drain.calls_;
      if (drain.begun_) drain.latecomers_.Note();
    }
    ~Ticket() { drain_.Leave(); }
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;

    // Calls in progress when this one began, itself included.
    int64_t ordinal() const { return ordinal_; }

   private:
    Drain& drain_;
    int64_t ordinal_;
  };

  // From now on Begun() is true. Idempotent.
  void Begin() { begun_ = true; }
  bool Begun() const { return begun_; }

  // Calls in progress.
  int64_t calls() const { return calls_; }
  // Waits until there is none, and none comes any more, at most `limit`. Only after Begin(). False
  // when time ran out before those in progress had ended.
  bool WaitUntilIdle(absl::Duration limit);

 private:
  void Leave();

  std::atomic<bool> begun_ = false;
  std::atomic<int64_t> calls_ = 0;
  rpc::Latecomers latecomers_;
  absl::Mutex mutex_;
  absl::CondVar idle_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rawgate::gateway
