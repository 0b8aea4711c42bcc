// One forwarded call in the books: counted when it begins, its messages as they pass, and once how
// it ended.
#pragma once

#include <chrono>
#include <optional>
#include <utility>

#include "absl/time/time.h"
#include "runtime/observe/call_counters.h"

namespace rawgate::gateway {

// One thread. Counts nothing before Begin().
class CallAccount {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `counters` outlive this object.
  void Begin(observe::CallCounters& counters, Time now) {
    counters_ = &counters;
    began_ = now;
    counters.started.Add();
  }
  void CountReceived() {
    if (counters_ != nullptr) counters_->messages_received.Add();
  }
  void CountSent() {
    if (counters_ != nullptr) counters_->messages_sent.Add();
  }
  // Before the client is told, who then finds it counted. How long it took; nullopt where it had
  // not begun, or has been ended before.
  std::optional<absl::Duration> End(int code, Time now) {
    if (counters_ == nullptr) return std::nullopt;
    const absl::Duration duration = absl::FromChrono(now - began_);
    std::exchange(counters_, nullptr)->CountHandled(code, duration);
    return duration;
  }

 private:
  // Null before the call begins, and once it has ended.
  observe::CallCounters* counters_ = nullptr;
  Time began_;
};

}  // namespace rawgate::gateway
