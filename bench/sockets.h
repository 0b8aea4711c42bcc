// The little that the programs of bench/ share: sockets on IPv4 loopback, errors that end the
// program, arguments.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace rawgate::bench {

// For main() and what it calls: the result of a system call that must not fail.
template <typename Result>
Result Check(Result result, const char* what) {
  if (result < 0) {
    std::fprintf(stderr, "%s: %s\n", what, std::strerror(errno));
    std::exit(1);
  }
  return result;
}

// 127.0.0.1, or another address of 127.0.0.0/8 by its last 24 bits.
inline sockaddr_in Loopback(uint16_t port, uint32_t host = 1) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl((127u << 24) + host);
  address.sin_port = htons(port);
  return address;
}

inline const sockaddr* Generic(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

inline uint16_t BoundPort(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  Check(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  return ntohs(address.sin_port);
}

// Tells run.py where a server listens.
inline void PrintPort(int fd) {
  std::printf("%u\n", BoundPort(fd));
  std::fflush(stdout);
}

inline void Register(int epoll, int fd, uint32_t events, uint64_t data) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = data;
  Check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

inline uint64_t ParseNumber(const char* text) { return std::strtoull(text, nullptr, 10); }

inline std::string FromHex(const char* text) {
  std::string bytes;
  for (; text[0] != '\0' && text[1] != '\0'; text += 2) {
    const char digits[] = {text[0], text[1], '\0'};
    bytes.push_back(static_cast<char>(std::strtoul(digits, nullptr, 16)));
  }
  return bytes;
}

}  // namespace rawgate::bench
