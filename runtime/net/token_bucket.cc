#include "runtime/net/token_bucket.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace rawgate::net {

namespace {
constexpr double kSecond = 1e9;
}  // namespace

TokenRate::TokenRate(double per_second)
    : interval_(std::max<Nanoseconds>(1, static_cast<Nanoseconds>(kSecond / per_second))),
      depth_(std::max(interval_, static_cast<Nanoseconds>(kSecond))) {}

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

SourceRateLimiter::SourceRateLimiter(double rate_per_source, double rate_global, size_t sources_max)
    : rate_per_source_(rate_per_source), rate_global_(rate_global), sources_(sources_max) {}

SourceRateLimiter::Verdict SourceRateLimiter::Take(const SourceNetwork& source, Nanoseconds now) {
  if (!sources_.Touch(source).Take(rate_per_source_, now)) return Verdict::kSourceTooFast;
  if (!global_.Take(rate_global_, now)) return Verdict::kAllTooFast;
  return Verdict::kPass;
}

}  // namespace rawgate::net
