#include "cli/lab/tcp_state.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>

// The kernel's, which has more members than that of netinet/tcp.h.
#include <linux/tcp.h>

namespace rawgate::cli::lab {
namespace {

std::string StateName(uint8_t state) {
  constexpr std::array kNames = {"",           "ESTABLISHED", "SYN_SENT",  "SYN_RECV",
                                 "FIN_WAIT1",  "FIN_WAIT2",   "TIME_WAIT", "CLOSE",
                                 "CLOSE_WAIT", "LAST_ACK",    "LISTEN",    "CLOSING"};
  return state < kNames.size() ? kNames[state] : "";
}

int64_t Queued(int fd, unsigned long request) {
  int bytes = 0;
  return ::ioctl(fd, request, &bytes) == 0 ? bytes : 0;
}

}  // namespace

TcpState TcpStateOf(int fd) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  TcpState state;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return state;
  state.name = StateName(info.tcpi_state);
  // Since Linux 4.19.
  if (size < offsetof(tcp_info, tcpi_bytes_retrans)) return state;
  state.known = true;
  state.segments_out = info.tcpi_data_segs_out;
  state.bytes_out = static_cast<int64_t>(info.tcpi_bytes_sent);
  state.segments_in = info.tcpi_data_segs_in;
  state.bytes_in = static_cast<int64_t>(info.tcpi_bytes_received);
  state.all_out = info.tcpi_segs_out;
  return state;
}

int64_t UnacknowledgedBytes(int fd) { return Queued(fd, SIOCOUTQ); }
int64_t WaitingBytes(int fd) { return Queued(fd, SIOCINQ); }

int64_t BufferSize(int fd, int option) {
  int size = 0;
  socklen_t length = sizeof(size);
  return ::getsockopt(fd, SOL_SOCKET, option, &size, &length) == 0 ? size : 0;
}

}  // namespace rawgate::cli::lab
