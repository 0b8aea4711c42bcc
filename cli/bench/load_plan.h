// When the requests of a load are to start, and how long it goes on.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "absl/time/time.h"

namespace rawgate::cli {

// The time of a clock that is never set, from some day on: loads are timed by it.
absl::Time LoadNow();

// Any thread, but for Begin().
class LoadPlan {
 public:
  struct Options {
    // The load ends with whichever is reached first.
    absl::Duration duration = absl::InfiniteDuration();
    uint64_t requests = UINT64_MAX;
    // Requests that start before that are not counted.
    absl::Duration warmup = absl::ZeroDuration();
    // A second; 0 means that each starts when the one before has ended (closed loop). With a rate
    // each has its time, however late others are (open loop), so that a far side that stands still
    // is seen in all that had to wait for it.
    double rate = 0;
  };
  struct Start {
    uint64_t number = 0;
    // When it is to start: latencies are measured from here. In a closed loop that is now.
    absl::Time time;
  };

  explicit LoadPlan(const Options& options) : options_(options) {}

  // Before all others.
  void Begin(absl::Time now);

  // The next request; nothing when there is none before the end. Its time may be in the future:
  // whoever takes it waits until then, or until the end.
  std::optional<Start> Next(absl::Time now);

  // Whether requests have times of their own (open loop).
  bool paced() const { return options_.rate > 0; }

  // No request starts any more.
  void Stop() { stopped_ = true; }
  bool stopped() const { return stopped_; }

  absl::Time begin() const { return begin_; }
  // From when on requests count.
  absl::Time measured_from() const { return measured_from_; }
  // Far in the future when there is no duration.
  absl::Time end() const { return end_; }

 private:
  const Options options_;
  absl::Time begin_;
  absl::Time measured_from_;
  absl::Time end_ = absl::InfiniteFuture();
  std::atomic<uint64_t> next_{0};
  std::atomic<bool> stopped_{false};
};

}  // namespace rawgate::cli
