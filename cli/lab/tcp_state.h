// What the kernel knows of a TCP socket (TCP_INFO, SIOCOUTQ and the like, tcp(7)).
#pragma once

#include <cstdint>
#include <string>

namespace rawgate::cli::lab {

struct TcpState {
  // False where the kernel does not tell, or not all of it: the rest is then zero.
  bool known = false;
  // As in tcp(7): "ESTABLISHED", "SYN_SENT", "FIN_WAIT2".
  std::string name;
  // Segments with payload, and bytes of it, retransmissions included.
  int64_t segments_out = 0;
  int64_t bytes_out = 0;
  int64_t segments_in = 0;
  // And a FIN, which counts as a byte.
  int64_t bytes_in = 0;
  // Segments of all kinds, those without payload as well.
  int64_t all_out = 0;
};

TcpState TcpStateOf(int fd);

// Bytes that were sent and that the other side has not acknowledged, or 0.
int64_t UnacknowledgedBytes(int fd);
// Bytes that have come and that nobody has received, or 0.
int64_t WaitingBytes(int fd);
// SO_SNDBUF or SO_RCVBUF, or 0.
int64_t BufferSize(int fd, int option);

}  // namespace rawgate::cli::lab
