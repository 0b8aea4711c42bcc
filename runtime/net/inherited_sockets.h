// Sockets that were bound before this process began, by a service manager that keeps them over its
// restarts (systemd.socket(5)). Whoever binds an address gets the one that is there for it.
//
// They are the process's, like the environment that tells of them: there is one table. Any thread.
//
// The socket itself stays with the service manager, so closing it frees no address. What a stop of
// the listener means then: TCP peers are refused, as by a closed socket (which takes a port that
// was not left to the kernel); datagrams are dropped, at the latest when the listener starts again;
// peers of a Unix socket wait for that.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/base/fd.h"
#include "runtime/net/endpoint.h"

namespace rawgate::net {

// Error: INVALID_ARGUMENT (BAD_SOCKET), as FieldError, for what is neither a listening stream nor a
// datagram socket of the families that Endpoint has.
absl::Status AddInheritedSocket(Fd fd);

// A non-blocking copy of the socket that is bound to `address` (SOCK_STREAM or SOCK_DGRAM in
// `type`), whose peers are welcome again; nullopt when there is none. Errors: those of dup(2),
// FAILED_PRECONDITION (BIND_FAILED).
absl::StatusOr<std::optional<Fd>> BorrowInheritedSocket(const Endpoint& address, int type);

// The listener of `address` stops for now: its peers are to notice.
void RefuseAtInheritedSocket(const Endpoint& address, int type);

// The process ends: from now on peers wait for its successor, whatever was refused until now.
void HandInheritedSocketsBack();

// Those that nobody has asked for: peers would wait there for ever.
std::vector<std::string> UnclaimedInheritedSockets();

}  // namespace rawgate::net
