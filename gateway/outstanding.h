// What is under way on threads of others, and its owner waiting for the last of it.
#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace rawgate::gateway {

// Thread-safe. May be destroyed as soon as AwaitNone() has returned. Drain is the one for calls: it
// counts without a lock, but must outlive whoever leaves.
class Outstanding {
 public:
  void Enter() {
    absl::MutexLock lock(&mutex_);
    ++count_;
  }
  void Leave() {
    absl::MutexLock lock(&mutex_);
    if (--count_ == 0) none_.SignalAll();
  }
  // Nothing enters any more.
  void AwaitNone() {
    absl::MutexLock lock(&mutex_);
    while (count_ > 0) none_.Wait(&mutex_);
  }

 private:
  absl::Mutex mutex_;
  absl::CondVar none_ ABSL_GUARDED_BY(mutex_);
  int count_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace rawgate::gateway
