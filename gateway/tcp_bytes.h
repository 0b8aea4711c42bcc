// How much an accepted TCP connection carried, as the kernel counts it.
#pragma once

#include <cstdint>

namespace rawgate::gateway {

struct TcpBytes {
  uint64_t received = 0;
  // And acknowledged by the peer.
  uint64_t sent = 0;
};

// Zeros for what is no TCP socket.
TcpBytes TcpBytesOf(int fd);

}  // namespace rawgate::gateway
