#include "runtime/net/token_bucket.h"

#include <algorithm>
#include <chrono>

namespace rawgate::net {

namespace {
constexpr double kSecond = 1e9;
}  // namespace

Nanoseconds MonotonicNow() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

TokenRate::TokenRate(double per_second)
    : interval_(std::max<Nanoseconds>(1, static_cast<Nanoseconds>(kSecond / per_second))),
      depth_(std::max(interval_, static_cast<Nanoseconds>(kSecond))) {}

}  // namespace rawgate::net
