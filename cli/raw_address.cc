#include "cli/raw_address.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/display_text.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

struct Scheme {
  absl::string_view name;
  RawAddress::Kind kind;
};
constexpr std::array<Scheme, 5> kSchemes = {{{"tcp", RawAddress::Kind::kTcp},
                                             {"tls", RawAddress::Kind::kTls},
                                             {"udp", RawAddress::Kind::kUdp},
                                             {"unix", RawAddress::Kind::kUnix},
                                             {"unixgram", RawAddress::Kind::kUnixDatagram}}};

absl::Status BadAddress(absl::string_view text) {
  return Error(absl::StatusCode::kInvalidArgument, "BAD_ADDRESS",
               absl::StrCat(Quoted(text), " is no address such as tcp://127.0.0.1:8080"));
}

// Waits until a connect(2) in progress is done. An errno; 0 when it stands.
int AwaitConnected(int fd, absl::Time deadline) {
  pollfd waited{fd, POLLOUT, 0};
  for (;;) {
    const int64_t left = absl::ToInt64Milliseconds(deadline - absl::Now());
    const int ready = ::poll(&waited, 1, static_cast<int>(std::max<int64_t>(left, 0)));
    if (ready == 0) return ETIMEDOUT;
    if (ready > 0) break;
    if (errno != EINTR) return errno;
  }
  int error = 0;
  socklen_t size = sizeof(error);
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

absl::StatusOr<Fd> ConnectTo(const RawAddress& address, const sockaddr* to, socklen_t size,
                             absl::Time deadline) {
  const std::string what = absl::StrCat("connect ", address.ToUri());
  const int type = address.is_datagram() ? SOCK_DGRAM : SOCK_STREAM;
  Fd fd(::socket(to->sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return ErrnoError(errno, what);
  int error = ::connect(fd.get(), to, size) == 0 ? 0 : errno;
  if (error == EINPROGRESS) error = AwaitConnected(fd.get(), deadline);
  if (error == ETIMEDOUT) {
    return Error(absl::StatusCode::kDeadlineExceeded, "NO_ANSWER",
                 absl::StrCat(what, ": no answer"));
  }
  if (error != 0) return ErrnoError(error, what);
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) & ~O_NONBLOCK);
  if (type == SOCK_STREAM && to->sa_family != AF_UNIX) {
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  return fd;
}

absl::StatusOr<Fd> ConnectUnix(const RawAddress& address, absl::Time deadline) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (address.host.size() >= sizeof(to.sun_path)) return BadAddress(address.ToUri());
  std::memcpy(to.sun_path, address.host.data(), address.host.size());
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): what sockets take
  return ConnectTo(address, reinterpret_cast<const sockaddr*>(&to), sizeof(to), deadline);
}

}  // namespace

bool RawAddress::is_any() const { return host == "0.0.0.0" || host == "::"; }

bool RawAddress::is_loopback() const {
  if (is_unix() || absl::EqualsIgnoreCase(host, "localhost")) return true;
  in_addr v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return ::inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

std::string RawAddress::ToUri() const {
  const auto scheme = std::find_if(kSchemes.begin(), kSchemes.end(),
                                   [this](const Scheme& each) { return each.kind == kind; });
  if (is_unix()) return absl::StrCat(scheme->name, "://", host);
  const bool v6 = absl::StrContains(host, ':');
  return absl::StrCat(scheme->name, "://", v6 ? "[" : "", host, v6 ? "]" : "", ":", port);
}

absl::StatusOr<RawAddress> ParseHostPort(absl::string_view text, RawAddress::Kind kind) {
  const size_t colon = text.rfind(':');
  if (colon == text.npos) return BadAddress(text);
  absl::string_view host = text.substr(0, colon);
  if (absl::StartsWith(host, "[") && absl::EndsWith(host, "]")) {
    host = host.substr(1, host.size() - 2);
  } else if (absl::StrContains(host, ':')) {
    return BadAddress(text);
  }
  uint32_t port = 0;
  if (host.empty() || !absl::SimpleAtoi(text.substr(colon + 1), &port) || port > 65535) {
    return BadAddress(text);
  }
  return RawAddress{.kind = kind, .host = std::string(host), .port = static_cast<uint16_t>(port)};
}

absl::StatusOr<RawAddress> ParseRawAddress(absl::string_view uri) {
  const size_t end = uri.find("://");
  const auto scheme = std::find_if(kSchemes.begin(), kSchemes.end(), [&](const Scheme& each) {
    return each.name == uri.substr(0, end);
  });
  if (end == uri.npos || scheme == kSchemes.end()) return BadAddress(uri);
  const absl::string_view rest = uri.substr(end + 3);
  const absl::string_view address = rest.substr(0, rest.find('?'));
  RawAddress parsed{.kind = scheme->kind, .host = std::string(address)};
  if (!parsed.is_unix()) return ParseHostPort(address, scheme->kind);
  if (parsed.host.empty()) return BadAddress(uri);
  return parsed;
}

absl::StatusOr<Fd> ConnectRaw(const RawAddress& address, absl::Duration patience) {
  const absl::Time deadline = absl::Now() + patience;
  if (address.is_unix()) return ConnectUnix(address, deadline);
  addrinfo wanted{};
  wanted.ai_socktype = address.is_datagram() ? SOCK_DGRAM : SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = absl::StrCat(address.port);
  const int failed = ::getaddrinfo(address.host.c_str(), port.c_str(), &wanted, &found);
  if (failed != 0) {
    return Error(absl::StatusCode::kUnavailable, "NAME_UNKNOWN",
                 absl::StrCat(address.host, ": ", ::gai_strerror(failed)));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, &::freeaddrinfo);
  absl::StatusOr<Fd> fd = BadAddress(address.ToUri());
  for (const addrinfo* each = found; each != nullptr && !fd.ok(); each = each->ai_next) {
    fd = ConnectTo(address, each->ai_addr, each->ai_addrlen, deadline);
  }
  return fd;
}

}  // namespace rawgate::cli
