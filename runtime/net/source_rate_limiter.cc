#include "runtime/net/source_rate_limiter.h"

#include <netinet/in.h>

#include <cstring>

namespace rawgate::net {
namespace {

constexpr double kShareOfNew = 0.75;
// After it was first served.
constexpr Nanoseconds kKnownAfter = 1'000'000'000;
// After it was last served.
constexpr Nanoseconds kKnownFor = 60'000'000'000;

double PerSecond(absl::Duration interval) {
  return interval == absl::InfiniteDuration() ? 1 : 1 / absl::ToDoubleSeconds(interval);
}

}  // namespace

SourceNetwork SourceNetwork::Of(const sockaddr* address) {
  SourceNetwork network;
  network.family = address->sa_family;
  if (address->sa_family == AF_INET) {
    network.prefix = reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr;
  } else if (address->sa_family == AF_INET6) {
    const auto& ip = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
    std::memcpy(&network.prefix, &ip, sizeof(network.prefix));
  }
  return network;
}

SourceRateLimiter::SourceRateLimiter(const Rates& rates, size_t sources_max)
    : rate_per_source_(rates.per_source.value_or(Rates::kPerSource)),
      rate_global_(rates.global),
      rate_of_new_(rates.global * kShareOfNew),
      gives_notice_(rates.notice_interval != absl::InfiniteDuration()),
      rate_of_notices_(PerSecond(rates.notice_interval)),
      new_(sources_max),
      known_(sources_max) {}

SourceRateLimiter::Verdict SourceRateLimiter::Take(const SourceNetwork& network, Nanoseconds now) {
  if (known_.Find(network) == nullptr) return TakeAsNew(network, now);
  Source& source = known_.Touch(network);
  if (!source.bucket.Take(rate_per_source_, now)) return Verdict::kSourceTooFast;
  if (!global_.Take(rate_global_, now)) return Verdict::kAllTooFast;
  source.last_served = now;
  return Verdict::kPass;
}

SourceRateLimiter::Verdict SourceRateLimiter::TakeAsNew(const SourceNetwork& network,
                                                        Nanoseconds now) {
  Source& source = new_.Touch(network);
  if (!source.bucket.Take(rate_per_source_, now)) return Verdict::kSourceTooFast;
  if (!of_new_.Take(rate_of_new_, now) || !global_.Take(rate_global_, now)) {
    return Verdict::kAllTooFast;
  }
  if (source.first_served == 0) {
    source.first_served = now;
  } else if (now - source.first_served >= kKnownAfter && HasRoomForKnown(now)) {
    source.last_served = now;
    known_.Touch(network) = source;
    new_.Erase(network);
  }
  return Verdict::kPass;
}

bool SourceRateLimiter::HasRoomForKnown(Nanoseconds now) const {
  return !known_.full() || now - known_.oldest().value.last_served >= kKnownFor;
}

bool SourceRateLimiter::TakeNotice(const SourceNetwork& network, Nanoseconds now) {
  if (!gives_notice_) return false;
  Source* source = known_.Find(network);
  if (source == nullptr) source = new_.Find(network);
  return source != nullptr && source->notices.Take(rate_of_notices_, now) &&
         global_.Take(rate_global_, now);
}

}  // namespace rawgate::net
