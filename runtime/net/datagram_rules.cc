#include "runtime/net/datagram_rules.h"

#include <netinet/in.h>

#include <algorithm>

namespace rawgate::net {
namespace {

constexpr uint16_t kFirstClientPort = 1024;
// echo, chat, time.
constexpr std::array<uint16_t, 3> kDefaultPorts = {8080, 8081, 9000};

bool IsSingleHost(const Endpoint& source) {
  if (source.family() == AF_INET) {
    const uint32_t ip = ntohl(reinterpret_cast<const sockaddr_in*>(source.data())->sin_addr.s_addr);
    // 240.0.0.0/4 holds the limited broadcast address, and no host.
    return (ip >> 24) != 0 && !IN_MULTICAST(ip) && (ip >> 28) != 0xf;
  }
  if (source.family() == AF_INET6) {
    const in6_addr& ip = reinterpret_cast<const sockaddr_in6*>(source.data())->sin6_addr;
    return !IN6_IS_ADDR_UNSPECIFIED(&ip) && !IN6_IS_ADDR_MULTICAST(&ip);
  }
  // A Unix socket that was not bound has no name to send to.
  return !source.path().empty();
}

}  // namespace

ResponderPorts& ResponderPorts::Global() {
  static ResponderPorts ports;
  return ports;
}

bool ResponderPorts::Contains(int family, uint16_t port) const {
  return bound_[family == AF_INET6][port].load(std::memory_order_relaxed) != 0 ||
         std::find(kDefaultPorts.begin(), kDefaultPorts.end(), port) != kDefaultPorts.end();
}

DropReason CheckSource(const Endpoint& source, const ResponderPorts& ports,
                       uint16_t answerable_port) {
  if (!IsSingleHost(source)) return DropReason::kSourceAddress;
  if (source.family() == AF_UNIX) return DropReason::kNone;
  const uint16_t port = source.port();
  if (port != 0 && port == answerable_port) return DropReason::kNone;
  if (port < kFirstClientPort) return DropReason::kSourcePort;
  if (ports.Contains(source.family(), port)) return DropReason::kResponderPort;
  return DropReason::kNone;
}

size_t ReplyLimit(bool trusted, size_t request_size, size_t reply_max) {
  if (trusted) return reply_max;
  constexpr size_t kAlwaysAllowed = 64;
  constexpr size_t kAmplificationMax = 4;
  return std::min(reply_max, std::max(kAlwaysAllowed, kAmplificationMax * request_size));
}

}  // namespace rawgate::net
