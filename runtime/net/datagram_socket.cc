#include "runtime/net/datagram_socket.h"

#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <optional>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::net {
namespace {

// A burst of some thousand small datagrams.
constexpr int kReceiveBufferBytes = 4 << 20;

uint32_t Ipv4(const Endpoint& address) {
  return ntohl(reinterpret_cast<const sockaddr_in*>(address.data())->sin_addr.s_addr);
}
const in6_addr& Ipv6(const Endpoint& address) {
  return reinterpret_cast<const sockaddr_in6*>(address.data())->sin6_addr;
}

bool IsWildcard(const Endpoint& address) {
  if (address.family() == AF_INET) return Ipv4(address) == INADDR_ANY;
  return address.family() == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&Ipv6(address));
}

bool IsGroup(const Endpoint& address) {
  if (address.family() == AF_INET) {
    return IN_MULTICAST(Ipv4(address)) || Ipv4(address) == INADDR_BROADCAST;
  }
  return address.family() == AF_INET6 && IN6_IS_ADDR_MULTICAST(&Ipv6(address));
}

// The broadcast address of a network that this machine is in: connect(2) refuses it to sockets
// without SO_BROADCAST. It sends nothing.
bool IsSubnetBroadcast(Endpoint address) {
  if (address.family() != AF_INET) return false;
  if (address.port() == 0) address.set_port(1);
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return socket && ::connect(socket.get(), address.data(), address.size()) != 0 && errno == EACCES;
}

bool EnablePacketInfo(int fd, int family) {
  const int on = 1;
  if (family == AF_INET) return ::setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) == 0;
  return ::setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) == 0;
}

// With CAP_NET_ADMIN the size is ours to choose; without it the kernel gives as much as its limit
// allows.
void EnlargeReceiveBuffer(int fd) {
  const int bytes = kReceiveBufferBytes;
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) == 0) return;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

absl::Status BindFailed(absl::string_view message) {
  return Error(absl::StatusCode::kFailedPrecondition, "BIND_FAILED", message);
}

}  // namespace

std::optional<uint32_t> KernelDrops(int fd) {
  std::array<uint32_t, SK_MEMINFO_VARS> memory{};
  socklen_t size = sizeof(memory);
  if (::getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory.data(), &size) != 0) return std::nullopt;
  return memory[SK_MEMINFO_DROPS];
}

absl::StatusOr<BoundSocket> BindResponder(const Endpoint& address, uint16_t preferred_port,
                                          bool timestamps) {
  const std::string what = absl::StrCat("bind ", address.ToUri());
  if (!IsDatagram(address.transport())) {
    return BindFailed(absl::StrCat(what, ": no address for datagrams"));
  }
  if (IsGroup(address) || IsSubnetBroadcast(address)) {
    return BindFailed(absl::StrCat(what, ": multicast and broadcast addresses are not served"));
  }
  absl::StatusOr<BoundSocket> bound = BindDatagram(address, preferred_port);
  if (!bound.ok()) return bound;
  if (IsWildcard(address) && !EnablePacketInfo(bound->fd.get(), address.family())) {
    return BindFailed(ErrnoError(errno, absl::StrCat(what, ": packet info")).message());
  }
  const int on = 1;
  // A kernel that does not tell leaves the time of reading.
  if (timestamps) ::setsockopt(bound->fd.get(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
  EnlargeReceiveBuffer(bound->fd.get());
  return bound;
}

}  // namespace rawgate::net
