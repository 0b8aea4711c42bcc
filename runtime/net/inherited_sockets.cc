#include "runtime/net/inherited_sockets.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "runtime/base/status.h"

namespace rawgate::net {
namespace {

// Datagrams that are dropped at once when a listener starts again. As many as a receive buffer of
// 4 MiB holds; what comes while they are dropped is for the listener.
constexpr int kDroppedMax = 1 << 14;

struct Inherited {
  Fd fd;
  int type = 0;
  Endpoint address;
  bool claimed = false;
  bool refusing = false;
};

struct Table {
  absl::Mutex mutex;
  std::vector<Inherited> sockets ABSL_GUARDED_BY(mutex);
  bool handed_back ABSL_GUARDED_BY(mutex) = false;

  Inherited* Find(const Endpoint& address, int type) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    for (Inherited& socket : sockets) {
      if (socket.type == type && socket.address.HasAddressOf(address)) return &socket;
    }
    return nullptr;
  }
};

Table& TheTable() {
  static Table& table = *new Table;
  return table;
}

int IntOption(int fd, int option) {
  int value = 0;
  socklen_t size = sizeof(value);
  return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

Transport TransportOf(int family, int type) {
  if (family == AF_UNIX) return type == SOCK_DGRAM ? Transport::kUnixDatagram : Transport::kUnix;
  return type == SOCK_DGRAM ? Transport::kUdp : Transport::kTcp;
}

void DropDatagrams(int fd) {
  char byte;
  for (int i = 0; i < kDroppedMax && ::recv(fd, &byte, 1, MSG_DONTWAIT) >= 0; ++i) {
  }
}

absl::Status Failed(const Endpoint& address, absl::string_view call) {
  return Error(
      absl::StatusCode::kFailedPrecondition, "BIND_FAILED",
      ErrnoError(errno, absl::StrCat(call, " of the inherited socket of ", address.ToUri()))
          .message());
}

}  // namespace

absl::Status AddInheritedSocket(Fd fd) {
  const int family = IntOption(fd.get(), SO_DOMAIN);
  const int type = IntOption(fd.get(), SO_TYPE);
  const bool serves =
      type == SOCK_DGRAM || (type == SOCK_STREAM && IntOption(fd.get(), SO_ACCEPTCONN) == 1);
  if ((family != AF_INET && family != AF_INET6 && family != AF_UNIX) || !serves) {
    return FieldError("listen", "BAD_SOCKET",
                      absl::StrCat("descriptor ", fd.get(),
                                   " is no socket that listens, nor one for datagrams (a socket "
                                   "unit needs Accept=no)"));
  }
  const Endpoint address = Endpoint::LocalOf(TransportOf(family, type), fd.get());
  Table& table = TheTable();
  absl::MutexLock lock(&table.mutex);
  table.sockets.push_back({.fd = std::move(fd), .type = type, .address = address});
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Fd>> BorrowInheritedSocket(const Endpoint& address, int type) {
  Table& table = TheTable();
  absl::MutexLock lock(&table.mutex);
  Inherited* const socket = table.Find(address, type);
  if (socket == nullptr) return std::nullopt;
  Fd copy(::fcntl(socket->fd.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy) return Failed(address, "dup");
  const int flags = ::fcntl(copy.get(), F_GETFL);
  if (flags < 0 || ::fcntl(copy.get(), F_SETFL, flags | O_NONBLOCK) != 0)
    return Failed(address, "fcntl");
  // The first time they are those that the process was started for.
  if (type == SOCK_DGRAM && socket->claimed) DropDatagrams(copy.get());
  socket->claimed = true;
  // Whoever borrowed it calls listen(2), which makes it welcome peers again.
  socket->refusing = false;
  return copy;
}

void RefuseAtInheritedSocket(const Endpoint& address, int type) {
  Table& table = TheTable();
  absl::MutexLock lock(&table.mutex);
  Inherited* const socket = table.Find(address, type);
  if (socket == nullptr || table.handed_back || type != SOCK_STREAM) return;
  // Of a Unix socket there would be no way back.
  if (address.family() == AF_UNIX) return;
  // Linux takes a listening TCP socket back to one that is only bound, for all who hold it.
  socket->refusing = ::shutdown(socket->fd.get(), SHUT_RD) == 0;
}

void HandInheritedSocketsBack() {
  Table& table = TheTable();
  absl::MutexLock lock(&table.mutex);
  table.handed_back = true;
  for (Inherited& socket : table.sockets) {
    // The service manager takes one that does not listen for broken, and gives it up.
    if (std::exchange(socket.refusing, false)) ::listen(socket.fd.get(), SOMAXCONN);
  }
}

std::vector<std::string> UnclaimedInheritedSockets() {
  Table& table = TheTable();
  absl::MutexLock lock(&table.mutex);
  std::vector<std::string> uris;
  for (const Inherited& socket : table.sockets) {
    if (!socket.claimed) uris.push_back(socket.address.ToUri());
  }
  return uris;
}

}  // namespace rawgate::net
