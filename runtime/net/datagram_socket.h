// Sockets for datagram responders.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "runtime/net/bind.h"
#include "runtime/net/endpoint.h"

namespace rawgate::net {

// BindDatagram() with what a responder needs: a socket bound to all addresses tells which of them
// each datagram was sent to (IP_PKTINFO, IPV6_RECVPKTINFO), and the receive buffer holds a burst.
// With `timestamps` it tells when each datagram arrived (SO_TIMESTAMPNS). Multicast and broadcast
// addresses are refused. Errors: FAILED_PRECONDITION (BIND_FAILED).
absl::StatusOr<BoundSocket> BindResponder(const Endpoint& address, uint16_t preferred_port = 0,
                                          bool timestamps = false);

// How many datagrams the kernel has dropped because the socket's buffer was full, modulo 2^32;
// nullopt where it does not tell.
std::optional<uint32_t> KernelDrops(int fd);

}  // namespace rawgate::net
