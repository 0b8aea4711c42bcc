#include "runtime/net/token_bucket.h"

#include <algorithm>

namespace rawgate::net {

namespace {
constexpr double kSecond = 1e9;
}  // namespace

TokenRate::TokenRate(double per_second)
    : interval_(std::max<Nanoseconds>(1, static_cast<Nanoseconds>(kSecond / per_second))),
      depth_(std::max(interval_, static_cast<Nanoseconds>(kSecond))) {}

}  // namespace rawgate::net
