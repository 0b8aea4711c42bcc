// The least that a strftime server over UDP takes: recvfrom, strftime, sendto. What rawgate-time is
// measured against. Prints its port.
#include <ctime>

#include "bench/sockets.h"

using namespace rawgate::bench;  // NOLINT: a program of one file

int main() {
  const int fd = Check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
  const sockaddr_in address = Loopback(0);
  Check(bind(fd, Generic(address), sizeof(address)), "bind");
  PrintPort(fd);
  tzset();

  char format[1024 + 1];
  char reply[1024];
  while (true) {
    sockaddr_in peer{};
    socklen_t peer_size = sizeof(peer);
    const ssize_t size =
        recvfrom(fd, format, sizeof(format) - 1, 0, reinterpret_cast<sockaddr*>(&peer), &peer_size);
    if (size < 0) continue;
    format[size] = '\0';
    const time_t now = time(nullptr);
    tm parts{};
    localtime_r(&now, &parts);
    const size_t length =
        strftime(reply, sizeof(reply), size == 0 ? "%Y-%m-%d %X" : format, &parts);
    sendto(fd, reply, length, 0, Generic(peer), peer_size);
  }
}
