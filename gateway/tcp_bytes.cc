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
  return {.received = info.tcpi_bytes_received, .sent = info.tcpi_bytes_acked};
}

}  // namespace rawgate::gateway
