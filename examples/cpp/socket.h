// The little that every socket client in C++ ends up writing. Errors are exceptions.
#pragma once

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

class Socket {
 public:
  // A TCP connection (SOCK_STREAM), or a socket that exchanges datagrams with one address only
  // (SOCK_DGRAM). A call that takes longer than `seconds` fails with EAGAIN.
  Socket(const char* host, const char* port, int type, int seconds = 10) {
    addrinfo hints{};
    hints.ai_socktype = type;
    addrinfo* found = nullptr;
    const int error = getaddrinfo(host, port, &hints, &found);
    if (error != 0) throw std::runtime_error(gai_strerror(error));
    descriptor_ = socket(found->ai_family, type, 0);
    const timeval patience{.tv_sec = seconds, .tv_usec = 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    const int result = connect(descriptor_, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    Check(result, "connect");
  }
  ~Socket() { close(descriptor_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // One send() may take a part only.
  void Send(std::string_view data) const {
    do {
      data.remove_prefix(Check(send(descriptor_, data.data(), data.size(), MSG_NOSIGNAL), "send"));
    } while (!data.empty());
  }
  // "I send no more": the other side sees the end of the stream, and can still answer.
  void EndSending() const { shutdown(descriptor_, SHUT_WR); }
  // One datagram; or what has come of a stream so far, at least a byte, and nothing at the stream's
  // end.
  std::string Receive(size_t size_max) const {
    std::string data(size_max, '\0');
    data.resize(Check(recv(descriptor_, data.data(), data.size(), 0), "recv"));
    return data;
  }

 private:
  static size_t Check(ssize_t result, const char* call) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), call);
    return static_cast<size_t>(result);
  }
  int descriptor_ = -1;
};
