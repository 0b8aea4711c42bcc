// Whether a client that sends or takes many bytes does so fast enough to be served.
#pragma once

#include <chrono>
#include <cstdint>

#include "absl/time/time.h"

namespace rawgate::http {

// In every `window` that is waited for the client, at least `bytes_per_second` times its length
// must move. So nobody holds memory for long by moving a little, and what was fast before earns
// nothing for later. One thread.
class Pace {
 public:
  using Clock = std::chrono::steady_clock;

  // `window` may be infinite.
  Pace(absl::Duration window, uint64_t bytes_per_second)
      : unlimited_(window >= absl::Hours(24 * 365)),
        window_(unlimited_ ? Clock::duration::zero() : absl::ToChronoNanoseconds(window)),
        bytes_(unlimited_ ? 0
                          : static_cast<uint64_t>(absl::ToDoubleSeconds(window) *
                                                  static_cast<double>(bytes_per_second))),
        left_(window_) {}

  // From here on it is waited for the client; until when, if no bytes move.
  void Begin() { begun_ = Clock::now(); }
  Clock::time_point deadline() const {
    return unlimited_ ? Clock::time_point::max() : begun_ + left_;
  }
  // Ends what Begin() began: so many bytes have moved.
  void End(uint64_t bytes) {
    moved_ += bytes;
    if (moved_ >= bytes_) {
      moved_ = 0;
      left_ = window_;
    } else {
      left_ -= Clock::now() - begun_;
    }
  }

 private:
  const bool unlimited_;
  const Clock::duration window_;
  const uint64_t bytes_;
  Clock::duration left_;
  Clock::time_point begun_;
  uint64_t moved_ = 0;
};

}  // namespace rawgate::http
