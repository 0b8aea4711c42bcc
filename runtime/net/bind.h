// Making listening sockets.
#pragma once

#include "absl/status/statusor.h"
#include "runtime/base/fd.h"
#include "runtime/net/endpoint.h"

namespace rawgate::net {

struct BoundSocket {
  Fd fd;
  // With the port that the kernel picked.
  Endpoint endpoint;
  // It was there before this process, and will be after it: see inherited_sockets.h.
  bool inherited = false;
};

// A listening, non-blocking TCP or Unix socket. For port 0, `preferred_port` is tried first when it
// is not 0. TCP options that accepted connections inherit: no Nagle delay, keepalive (30 s, 3
// probes 10 s apart). A Unix socket file whose server is gone is replaced. Where a socket was
// inherited for the address, it is that one. Errors: FAILED_PRECONDITION (BIND_FAILED).
absl::StatusOr<BoundSocket> BindStream(const Endpoint& address, uint16_t preferred_port = 0);

// A bound, non-blocking UDP or Unix datagram socket. Errors: as above.
absl::StatusOr<BoundSocket> BindDatagram(const Endpoint& address, uint16_t preferred_port = 0);

// What stays when the listener of `address` has closed its socket: removes the file of a Unix
// socket; peers of one that was inherited are refused for now.
void ReleaseAddress(const Endpoint& address, bool inherited);

}  // namespace rawgate::net
