// Opens a number of connections and holds them without a byte, until its standard input ends.
//
//   idle_load PORT CONNECTIONS
//
// Prints "ready" when the server has accepted all of them. The connections come from many addresses
// of 127.0.0.0/8, since one address has some 28,000 ports to offer.
#include <vector>

#include "bench/sockets.h"

using namespace rawgate::bench;  // NOLINT: a program of one file

namespace {

constexpr size_t kPerAddress = 20'000;

int Connect(uint16_t port, uint32_t source) {
  const int fd = Check(socket(AF_INET, SOCK_STREAM, 0), "socket");
  // Without this bind(2) itself would reserve a port, among those of all destinations.
  const int on = 1;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
  const sockaddr_in from = Loopback(0, source);
  Check(bind(fd, Generic(from), sizeof(from)), "bind");
  const sockaddr_in to = Loopback(port);
  Check(connect(fd, Generic(to), sizeof(to)), "connect");
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: idle_load PORT CONNECTIONS\n");
    return 2;
  }
  const auto port = static_cast<uint16_t>(ParseNumber(argv[1]));
  const size_t count = ParseNumber(argv[2]);
  std::vector<int> connections;
  connections.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    // Each process that does this has addresses of its own.
    const auto source = static_cast<uint32_t>((getpid() % 60'000 + 256) * 64 + 2 + i / kPerAddress);
    connections.push_back(Connect(port, source));
  }
  // connect(2) returns before the server has accepted. A server accepts in order: when the last one
  // answers, all are in.
  char byte = 'a';
  Check(send(connections.back(), &byte, 1, MSG_NOSIGNAL), "send");
  if (recv(connections.back(), &byte, 1, 0) != 1 || byte != 'A') {
    std::fprintf(stderr, "idle_load: no echo on the last connection\n");
    return 1;
  }
  std::printf("ready\n");
  std::fflush(stdout);
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
  return 0;
}
