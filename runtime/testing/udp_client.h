// The peer of a datagram listener in tests: one UDP socket on a loopback address.
#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <string>
#include <system_error>

#include "absl/strings/string_view.h"
#include "runtime/base/fd.h"
#include "runtime/net/bind.h"
#include "runtime/net/endpoint.h"

namespace rawgate::testing {

class UdpClient {
 public:
  // Bound to `local`, connected to `server`: it hears nothing that comes from another address.
  // Throws on failure.
  explicit UdpClient(absl::string_view server, absl::string_view local = "udp://127.0.0.1:0")
      : socket_(net::BindDatagram(net::Endpoint::Parse(local).value()).value()) {
    const net::Endpoint peer = net::Endpoint::Parse(server).value();
    const int on = 1;
    ::setsockopt(socket_.fd.get(), SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
    if (::connect(socket_.fd.get(), peer.data(), peer.size()) != 0) {
      throw std::system_error(errno, std::generic_category(), "connect");
    }
  }

  const net::Endpoint& endpoint() const { return socket_.endpoint; }

  // Whether the kernel took it.
  bool Send(absl::string_view payload) {
    return ::send(socket_.fd.get(), payload.data(), payload.size(), 0) ==
           static_cast<ssize_t>(payload.size());
  }

  // What has arrived; nullopt when nothing has, `error()` then says whether it never will.
  std::optional<std::string> Receive() {
    std::string payload(65'536, '\0');
    const ssize_t size = ::recv(socket_.fd.get(), payload.data(), payload.size(), MSG_DONTWAIT);
    error_ = size < 0 && errno != EAGAIN ? errno : 0;
    if (size < 0) return std::nullopt;
    payload.resize(static_cast<size_t>(size));
    return payload;
  }
  // errno of the last Receive(), such as ECONNREFUSED; 0 when it was none.
  int error() const { return error_; }

 private:
  net::BoundSocket socket_;
  int error_ = 0;
};

}  // namespace rawgate::testing
