// How much of a responder's work each source of datagrams may have. Sources can be forged, so what
// is known of them is bounded, and a flood of new ones does not shut out those that were there
// before.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "runtime/base/lru_map.h"
#include "runtime/net/token_bucket.h"

namespace rawgate::net {

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
//
// A source that was served a second time, a second or more after the first, is a known one. New
// sources have at most three quarters of the rate of all, so that a flood of forged ones, of which
// hardly any comes again, leaves the rest to those that were known. One is known until it has not
// been served for a minute and another needs its place.
class SourceRateLimiter {
 public:
  struct Rates {
    static constexpr double kPerSource = 1'000;
    static constexpr double kGlobal = 50'000;
    // Unset: kPerSource, or what the process was told. A protocol whose clients have reason to ask
    // rarely sets it.
    std::optional<double> per_source;
    double global = kGlobal;
    // See TakeNotice().
    absl::Duration notice_interval = absl::InfiniteDuration();
  };
  // Of new sources and of known ones each: one more takes the place of the least recently used.
  explicit SourceRateLimiter(const Rates& rates, size_t sources_max = 16'384);

  enum class Verdict : uint8_t { kPass, kSourceTooFast, kAllTooFast };
  // A source beyond its own rate takes nothing from what the others share.
  Verdict Take(const SourceNetwork& source, Nanoseconds now);

  // Whether a source that was just found too fast may be told so: once in each notice interval,
  // within the rate of all.
  bool TakeNotice(const SourceNetwork& source, Nanoseconds now);

 private:
  struct Source {
    TokenBucket bucket;
    TokenBucket notices;
    // 0: not yet.
    Nanoseconds first_served = 0;
    Nanoseconds last_served = 0;
  };
  Verdict TakeAsNew(const SourceNetwork& network, Nanoseconds now);
  bool HasRoomForKnown(Nanoseconds now) const;

  const TokenRate rate_per_source_;
  const TokenRate rate_global_;
  const TokenRate rate_of_new_;
  const bool gives_notice_;
  const TokenRate rate_of_notices_;
  LruMap<SourceNetwork, Source> new_;
  LruMap<SourceNetwork, Source> known_;
  TokenBucket global_;
  TokenBucket of_new_;
};

}  // namespace rawgate::net
