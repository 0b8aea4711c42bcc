// Whether the program at the other end of a local connection may have commands run. A loopback
// address keeps other machines out, but not the other users of this one.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/base/fd.h"
#include "runtime/net/endpoint.h"

namespace rawgate::exec {

// Which users of this machine are served over loopback addresses and Unix sockets.
enum class LocalUsers {
  kSame,  // the service's own user, and root
  kAny,
};

// For Abseil flags: "same", "any".
bool AbslParseFlag(absl::string_view text, LocalUsers* users, std::string* error);
std::string AbslUnparseFlag(LocalUsers users);

// Finds the user who owns the peer's socket. One thread.
class SocketOwners {
 public:
  SocketOwners();

  // Of the TCP socket of this machine that has `peer` as its own address and is connected to
  // `local`. Asks the kernel by sock_diag(7); without that, /proc/net/tcp. NOT_FOUND
  // (OWNER_UNKNOWN) when there is no such socket, or its owner has closed it: then an older kernel
  // tells no owner.
  absl::StatusOr<uid_t> OwnerOf(const net::Endpoint& peer, const net::Endpoint& local);

  // The same from text in the form of /proc/net/tcp or tcp6.
  static absl::StatusOr<uid_t> OwnerIn(absl::string_view table, const net::Endpoint& peer,
                                       const net::Endpoint& local);

 private:
  // An errno, or 0 with `owner` set.
  int AskKernel(const net::Endpoint& peer, const net::Endpoint& local, uid_t* owner);

  Fd netlink_;
  uint32_t sequence_ = 0;
  // sock_diag has answered before, so that "no such socket" means what it says.
  bool works_ = false;
};

// One thread.
class PeerPolicy {
 public:
  explicit PeerPolicy(LocalUsers users) : users_(users) {}

  // Checks the peer of a stream connection: `peer` connected to `local`; a Unix socket's is known
  // by its descriptor, `fd`, alone. Under TLS both are those of the TCP connection that carries it,
  // and a certificate makes no difference. Peers off loopback pass: whether they can come is
  // decided where the listener is bound. One without an address (it is gone) does not. Errors:
  // PERMISSION_DENIED (FOREIGN_USER, OWNER_UNKNOWN).
  absl::Status Check(int fd, const net::Endpoint& peer, const net::Endpoint& local);

 private:
  const LocalUsers users_;
  SocketOwners owners_;
};

// PERMISSION_DENIED (FOREIGN_USER) unless `owner` is `self` or root.
absl::Status CheckOwner(uid_t owner, uid_t self);

}  // namespace rawgate::exec
