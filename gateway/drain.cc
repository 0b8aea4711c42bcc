#include "gateway/drain.h"

#include "absl/time/clock.h"

namespace rawgate::gateway {

bool Drain::WaitUntilIdle(absl::Duration limit) {
  const absl::Time deadline = absl::Now() + limit;
  {
    absl::MutexLock lock(&mutex_);
    while (calls_ > 0) {
      if (idle_.WaitWithDeadline(&mutex_, deadline) && calls_ > 0) return false;
    }
  }
  latecomers_.AwaitNone(deadline);
  return true;
}

void Drain::Leave() {
  if (--calls_ > 0) return;
  // Both orders are sequentially consistent: either this sees the drain, or the drain sees that
  // nothing is left.
  if (!begun_) return;
  absl::MutexLock lock(&mutex_);
  idle_.SignalAll();
}

}  // namespace rawgate::gateway
