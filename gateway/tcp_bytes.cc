#include "gateway/tcp_bytes.h"

// Not <netinet/tcp.h>, whose tcp_info ends before these counters; a file cannot have both.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace rawgate::gateway {

TcpBytes TcpBytesOf(int fd) {
  tcp_info info{};
  socklen_t length = sizeof(info);
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return {};
  // The kernel counts the SYN as a byte.
  const uint64_t sent = info.tcpi_bytes_acked > 0 ? info.tcpi_bytes_acked - 1 : 0;
  return {.received = info.tcpi_bytes_received, .sent = sent};
}

}  // namespace rawgate::gateway
