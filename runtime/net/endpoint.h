// Where a listener listens or a peer is: an address with its transport, written as a URI.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/observe/event_log.h"

namespace rawgate::net {

using observe::Transport;

// Whether it carries datagrams rather than a stream.
constexpr bool IsDatagram(Transport transport) {
  return transport == Transport::kUdp || transport == Transport::kUnixDatagram;
}

// A value; copies freely.
class Endpoint {
 public:
  Endpoint() = default;
  // From what the kernel returned. `length` may be short of a family's structure for an unnamed
  // Unix socket.
  Endpoint(Transport transport, const sockaddr* address, socklen_t length);

  // Of the socket `fd`: its own address, or that of its peer. Without one when the kernel knows
  // none, the peer having gone.
  static Endpoint LocalOf(Transport transport, int fd);
  static Endpoint PeerOf(Transport transport, int fd);

  // Accepts "tcp://127.0.0.1:8080", "tcp://[::1]:8080", "tls://127.0.0.1:8443" (a stream under
  // TLS), "udp://0.0.0.0:9000", "unix:///run/x.sock" (a stream), "unixgram:///run/x.sock"
  // (datagrams). Hosts are numeric, or "localhost" (127.0.0.1); the port is 0 to 65535. Error:
  // INVALID_ARGUMENT (BAD_ADDRESS).
  static absl::StatusOr<Endpoint> Parse(absl::string_view uri);

  // The same form again.
  std::string ToUri() const;
  // "127.0.0.1:8080", "[::1]:8080", or a path.
  std::string HostPort() const;

  Transport transport() const { return transport_; }
  int family() const { return address_.ss_family; }
  const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&address_); }
  sockaddr* data() { return reinterpret_cast<sockaddr*>(&address_); }
  socklen_t size() const { return size_; }
  void set_size(socklen_t size) { size_ = size; }
  static constexpr socklen_t capacity() { return sizeof(sockaddr_storage); }

  // 0 for Unix sockets.
  uint16_t port() const;
  void set_port(uint16_t port);
  // 127.0.0.0/8, ::1, ::ffff:127.0.0.0/104, and every Unix socket.
  bool IsLoopback() const;
  // The same host and port, or path, whatever is carried there.
  bool HasAddressOf(const Endpoint& other) const;
  // Of a Unix socket, "@NAME" for a name that is no path (unix(7), "abstract"); empty without a
  // name and for any other family.
  std::string path() const;

 private:
  Transport transport_ = Transport::kTcp;
  sockaddr_storage address_{};
  socklen_t size_ = 0;
};

}  // namespace rawgate::net
