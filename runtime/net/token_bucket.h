// Rate limits: a token bucket, and a bounded table of them by source network.
#pragma once

#include <sys/socket.h>

#include <cstdint>

#include "runtime/base/lru_map.h"

namespace rawgate::net {

// Monotonic time in nanoseconds, from any origin.
using Nanoseconds = int64_t;

// How fast a bucket fills. It holds at most one second's worth, and at least one token.
class TokenRate {
 public:
  // `per_second` is positive.
  explicit TokenRate(double per_second);
  Nanoseconds interval() const { return interval_; }
  Nanoseconds depth() const { return depth_; }

 private:
  Nanoseconds interval_;
  Nanoseconds depth_;
};

// Full at first. Kept as one number, the time at which it will be full again (the "theoretical
// arrival time" of the generic cell rate algorithm, ITU-T I.371), so that a table of them is small.
class TokenBucket {
 public:
  // Takes one token; false, and nothing taken, when there is none.
  bool Take(const TokenRate& rate, Nanoseconds now) {
    const Nanoseconds full_at = full_at_ > now ? full_at_ : now;
    if (full_at - now > rate.depth() - rate.interval()) return false;
    full_at_ = full_at + rate.interval();
    return true;
  }

 private:
  Nanoseconds full_at_ = INT64_MIN;
};

// The network that a source address counts for: the address in IPv4, its /64 in IPv6, where one
// host has as many addresses as it likes.
struct SourceNetwork {
  sa_family_t family = AF_UNSPEC;
  // As in the address, in network byte order.
  uint64_t prefix = 0;

  // `address` is a sockaddr_in or a sockaddr_in6.
  static SourceNetwork Of(const sockaddr* address);

  friend bool operator==(const SourceNetwork&, const SourceNetwork&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const SourceNetwork& network) {
    return H::combine(std::move(state), network.family, network.prefix);
  }
};

// A rate for each source and one for all together. One thread.
class SourceRateLimiter {
 public:
  // Buckets beyond `sources_max` replace the least recently used ones.
  SourceRateLimiter(double rate_per_source, double rate_global, size_t sources_max = 16'384);

  enum class Verdict : uint8_t { kPass, kSourceTooFast, kAllTooFast };
  // A source beyond its own rate takes nothing from what the others share.
  Verdict Take(const SourceNetwork& source, Nanoseconds now);

 private:
  const TokenRate rate_per_source_;
  const TokenRate rate_global_;
  LruMap<SourceNetwork, TokenBucket> sources_;
  TokenBucket global_;
};

}  // namespace rawgate::net
