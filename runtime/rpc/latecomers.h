// Calls that still come to a process that goes, and are refused.
//
// From the moment that gRPC's server begins to shut down until its clients know of that, it ends
// what they begin as CANCELLED, which no client's library tries again. So a process that goes
// refuses calls until none comes any more (clients that check its health, or that were told to try
// again, have found another one by then), and only then shuts its server down.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace rawgate::rpc {

// Thread-safe.
class Latecomers {
 public:
  // Longer than the news takes to clients, and their calls to come here; short beside any grace.
  static constexpr absl::Duration kQuiet = absl::Milliseconds(100);

  // One was refused.
  void Note() { ++count_; }

  // Waits until none has come for kQuiet, at most until `deadline`.
  void AwaitNone(absl::Time deadline) const {
    uint64_t before = 0;
    do {
      before = count_;
      absl::SleepFor(std::min(kQuiet, deadline - absl::Now()));
    } while (count_ != before && absl::Now() < deadline);
  }

 private:
  std::atomic<uint64_t> count_ = 0;
};

}  // namespace rawgate::rpc
