// The least that upper-casing TCP echo takes: one thread, one epoll(7) loop, no limits, no
// deadlines, no counters. What rawgate-echo is measured against. Prints its port.
#include "bench/sockets.h"

using namespace rawgate::bench;  // NOLINT: a program of one file

namespace {

char buffer[256 * 1024];

void Upper(ssize_t size) {
  for (ssize_t i = 0; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(buffer[i]);
    const bool lower = static_cast<unsigned char>(byte - 'a') < 26;
    buffer[i] = static_cast<char>(byte ^ (lower ? 0x20 : 0));
  }
}

// False: the connection is finished.
bool Serve(int fd) {
  const ssize_t size = recv(fd, buffer, sizeof(buffer), 0);
  if (size < 0) return errno == EAGAIN;
  if (size == 0) return false;
  Upper(size);
  for (ssize_t sent = 0; sent < size;) {
    const ssize_t n = send(fd, buffer + sent, static_cast<size_t>(size - sent), MSG_NOSIGNAL);
    // Clients of the benchmarks read what they are owed: waiting here harms nobody.
    if (n < 0 && errno != EAGAIN) return false;
    if (n > 0) sent += n;
  }
  return true;
}

}  // namespace

int main() {
  const int listener = Check(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket");
  const sockaddr_in address = Loopback(0);
  Check(bind(listener, Generic(address), sizeof(address)), "bind");
  Check(listen(listener, SOMAXCONN), "listen");
  const int epoll = Check(epoll_create1(0), "epoll_create1");
  Register(epoll, listener, EPOLLIN, static_cast<uint64_t>(listener));
  PrintPort(listener);

  epoll_event events[256];
  while (true) {
    const int count = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < count; ++i) {
      const auto fd = static_cast<int>(events[i].data.u64);
      if (fd != listener) {
        if (!Serve(fd)) close(fd);
        continue;
      }
      const int accepted = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
      if (accepted < 0) continue;
      const int on = 1;
      setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      Register(epoll, accepted, EPOLLIN, static_cast<uint64_t>(accepted));
    }
  }
}
