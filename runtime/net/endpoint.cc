#include "runtime/net/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "runtime/base/status.h"

namespace rawgate::net {
namespace {

absl::Status BadAddress(absl::string_view uri, absl::string_view why) {
  return Error(
      absl::StatusCode::kInvalidArgument, "BAD_ADDRESS",
      absl::StrCat("address \"", uri, "\": ", why,
                   "; expected tcp://HOST:PORT, tls://HOST:PORT, udp://HOST:PORT, unix:///PATH or "
                   "unixgram:///PATH"));
}

const sockaddr_in& V4(const sockaddr* address) {
  return *reinterpret_cast<const sockaddr_in*>(address);
}
const sockaddr_in6& V6(const sockaddr* address) {
  return *reinterpret_cast<const sockaddr_in6*>(address);
}

absl::StatusOr<Endpoint> ParseUnix(Transport transport, absl::string_view uri,
                                   absl::string_view path) {
  sockaddr_un address{};
  if (path.empty() || path[0] != '/') return BadAddress(uri, "the path must be absolute");
  if (path.size() >= sizeof(address.sun_path)) {
    return BadAddress(uri, absl::StrCat("the path is longer than the ",
                                        sizeof(address.sun_path) - 1, " bytes a socket may have"));
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return Endpoint(transport, reinterpret_cast<const sockaddr*>(&address), length);
}

absl::StatusOr<Endpoint> ParseInet(Transport transport, absl::string_view uri,
                                   absl::string_view rest) {
  const size_t colon = rest.rfind(':');
  if (colon == absl::string_view::npos) return BadAddress(uri, "the port is missing");
  std::string host(rest.substr(0, colon));
  uint32_t port = 0;
  if (!absl::SimpleAtoi(rest.substr(colon + 1), &port) || port > 65'535) {
    return BadAddress(uri, "the port is not a number from 0 to 65535");
  }
  if (host == "localhost") host = "127.0.0.1";
  sockaddr_in v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(static_cast<uint16_t>(port));
    return Endpoint(transport, reinterpret_cast<const sockaddr*>(&v4), sizeof(v4));
  }
  if (host.size() < 2 || host.front() != '[' || host.back() != ']') {
    return BadAddress(uri, "the host is no numeric address (IPv6 in brackets)");
  }
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6.sin6_addr) != 1) {
    return BadAddress(uri, "the host is no numeric address");
  }
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(static_cast<uint16_t>(port));
  return Endpoint(transport, reinterpret_cast<const sockaddr*>(&v6), sizeof(v6));
}

absl::string_view Scheme(Transport transport) {
  switch (transport) {
    case Transport::kUdp:
      return "udp";
    case Transport::kUnix:
      return "unix";
    case Transport::kUnixDatagram:
      return "unixgram";
    case Transport::kTls:
      return "tls";
    case Transport::kTcp:
    case Transport::kRpc:
      break;
  }
  return "tcp";
}

}  // namespace

Endpoint::Endpoint(Transport transport, const sockaddr* address, socklen_t length)
    : transport_(transport), size_(length < capacity() ? length : capacity()) {
  std::memcpy(&address_, address, size_);
}

Endpoint Endpoint::LocalOf(Transport transport, int fd) {
  sockaddr_storage address{};
  socklen_t length = capacity();
  auto* const to = reinterpret_cast<sockaddr*>(&address);
  return Endpoint(transport, to, ::getsockname(fd, to, &length) == 0 ? length : 0);
}

Endpoint Endpoint::PeerOf(Transport transport, int fd) {
  sockaddr_storage address{};
  socklen_t length = capacity();
  auto* const to = reinterpret_cast<sockaddr*>(&address);
  return Endpoint(transport, to, ::getpeername(fd, to, &length) == 0 ? length : 0);
}

absl::StatusOr<Endpoint> Endpoint::Parse(absl::string_view uri) {
  absl::string_view rest = uri;
  if (absl::ConsumePrefix(&rest, "unix://")) return ParseUnix(Transport::kUnix, uri, rest);
  if (absl::ConsumePrefix(&rest, "unixgram://")) {
    return ParseUnix(Transport::kUnixDatagram, uri, rest);
  }
  if (absl::ConsumePrefix(&rest, "tcp://")) return ParseInet(Transport::kTcp, uri, rest);
  if (absl::ConsumePrefix(&rest, "tls://")) return ParseInet(Transport::kTls, uri, rest);
  if (absl::ConsumePrefix(&rest, "udp://")) return ParseInet(Transport::kUdp, uri, rest);
  return BadAddress(uri, "unknown scheme");
}

std::string Endpoint::ToUri() const { return absl::StrCat(Scheme(transport_), "://", HostPort()); }

std::string Endpoint::HostPort() const {
  char host[INET6_ADDRSTRLEN] = "";
  switch (family()) {
    case AF_INET:
      inet_ntop(AF_INET, &V4(data()).sin_addr, host, sizeof(host));
      return absl::StrCat(host, ":", port());
    case AF_INET6:
      inet_ntop(AF_INET6, &V6(data()).sin6_addr, host, sizeof(host));
      return absl::StrCat("[", host, "]:", port());
    default:
      return path();
  }
}

bool Endpoint::HasAddressOf(const Endpoint& other) const {
  return family() == other.family() && HostPort() == other.HostPort();
}

uint16_t Endpoint::port() const {
  if (family() == AF_INET) return ntohs(V4(data()).sin_port);
  if (family() == AF_INET6) return ntohs(V6(data()).sin6_port);
  return 0;
}

void Endpoint::set_port(uint16_t port) {
  if (family() == AF_INET) reinterpret_cast<sockaddr_in*>(data())->sin_port = htons(port);
  if (family() == AF_INET6) reinterpret_cast<sockaddr_in6*>(data())->sin6_port = htons(port);
}

bool Endpoint::IsLoopback() const {
  if (family() == AF_INET) return (ntohl(V4(data()).sin_addr.s_addr) >> 24) == 127;
  if (family() == AF_INET6) {
    const in6_addr& address = V6(data()).sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(&address) ||
           (IN6_IS_ADDR_V4MAPPED(&address) && address.s6_addr[12] == 127);
  }
  return family() == AF_UNIX;
}

std::string Endpoint::path() const {
  constexpr size_t kOffset = offsetof(sockaddr_un, sun_path);
  if (family() != AF_UNIX || size_ <= kOffset) return "";
  const char* path = reinterpret_cast<const sockaddr_un*>(data())->sun_path;
  if (*path == '\0' && size_ > kOffset + 1) {
    return absl::StrCat("@", absl::string_view(path + 1, size_ - kOffset - 1));
  }
  return std::string(path, strnlen(path, size_ - kOffset));
}

}  // namespace rawgate::net
