#include "runtime/net/bind.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/net/inherited_sockets.h"

namespace rawgate::net {
namespace {

absl::Status BindFailed(const Endpoint& address, int errno_value) {
  absl::string_view hint;
  if (errno_value == EADDRINUSE) hint = " (another program has it: `ss -ltnup` shows which)";
  if (errno_value == EACCES) hint = " (ports below 1024 need CAP_NET_BIND_SERVICE)";
  return Error(
      absl::StatusCode::kFailedPrecondition, "BIND_FAILED",
      absl::StrCat(ErrnoError(errno_value, absl::StrCat("bind ", address.ToUri())).message(),
                   hint));
}

void SetOption(int fd, int level, int option, int value) {
  // These options exist on every kernel that rawgate runs on; without one of them it serves all the
  // same.
  ::setsockopt(fd, level, option, &value, sizeof(value));
}

// A socket file outlives its server. Removes it when nobody answers there; a live server or a file
// of another type stays and makes bind(2) fail.
void RemoveStaleSocket(const Endpoint& address, int type) {
  struct stat info {};
  if (::lstat(address.path().c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return;
  const Fd probe(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe) return;
  if (::connect(probe.get(), address.data(), address.size()) != 0 && errno == ECONNREFUSED) {
    ::unlink(address.path().c_str());
  }
}

absl::StatusOr<BoundSocket> Bind(const Endpoint& address, int type, uint16_t preferred_port) {
  absl::StatusOr<std::optional<Fd>> inherited = BorrowInheritedSocket(address, type);
  if (!inherited.ok()) return inherited.status();
  if (*inherited) return BoundSocket{*std::move(*inherited), address, true};
  BoundSocket bound{Fd(::socket(address.family(), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)), address,
                    false};
  if (!bound.fd) return BindFailed(address, errno);
  const int fd = bound.fd.get();
  if (type == SOCK_STREAM && address.family() != AF_UNIX)
    SetOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (address.family() == AF_INET6) SetOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (address.family() == AF_UNIX) RemoveStaleSocket(address, type);

  Endpoint wanted = address;
  if (address.port() == 0 && preferred_port != 0) wanted.set_port(preferred_port);
  int result = ::bind(fd, wanted.data(), wanted.size());
  if (result != 0 && wanted.port() != address.port()) {
    result = ::bind(fd, address.data(), address.size());
  }
  if (result != 0) return BindFailed(address, errno);
  socklen_t length = Endpoint::capacity();
  if (::getsockname(fd, bound.endpoint.data(), &length) != 0) return BindFailed(address, errno);
  bound.endpoint.set_size(length);
  return bound;
}

}  // namespace

absl::StatusOr<BoundSocket> BindStream(const Endpoint& address, uint16_t preferred_port) {
  absl::StatusOr<BoundSocket> bound = Bind(address, SOCK_STREAM, preferred_port);
  if (!bound.ok()) return bound;
  const int fd = bound->fd.get();
  if (address.family() != AF_UNIX) {
    SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    SetOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    SetOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, 30);
    SetOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
    SetOption(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
  }
  if (::listen(fd, SOMAXCONN) != 0) return BindFailed(address, errno);
  // One that was bound to port 0 gets another port when it listens again.
  if (bound->inherited && !Endpoint::LocalOf(address.transport(), fd).HasAddressOf(address))
    return BindFailed(address, EADDRNOTAVAIL);
  return bound;
}

absl::StatusOr<BoundSocket> BindDatagram(const Endpoint& address, uint16_t preferred_port) {
  return Bind(address, SOCK_DGRAM, preferred_port);
}

void ReleaseAddress(const Endpoint& address, bool inherited) {
  if (inherited) {
    RefuseAtInheritedSocket(address, IsDatagram(address.transport()) ? SOCK_DGRAM : SOCK_STREAM);
  } else if (address.family() == AF_UNIX) {
    ::unlink(address.path().c_str());
  }
}

}  // namespace rawgate::net
