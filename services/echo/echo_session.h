// Echo on sockets: PROTOCOL.md's TCP and UDP halves.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "runtime/net/datagram_listener.h"
#include "runtime/net/stream_listener.h"
#include "services/echo/echo_core.h"

namespace rawgate::echo {

class EchoStreamSession final : public net::StreamHandler {
 public:
  explicit EchoStreamSession(Transform transform) : transform_(transform) {}

  net::Next OnReadable(net::Connection& connection) override;
  boost::asio::awaitable<net::Next> Serve(net::Connection& connection) override;

 private:
  const Transform transform_;
  // What the socket did not take in OnReadable(); Serve(), which the listener calls right after,
  // takes it over.
  std::string unsent_;
};

class EchoDatagramSession final : public net::DatagramHandler {
 public:
  explicit EchoDatagramSession(DatagramReply reply) : reply_(reply) {}

  std::optional<size_t> OnDatagram(const net::Datagram& datagram, std::span<char> reply) override;

 private:
  const DatagramReply reply_;
};

}  // namespace rawgate::echo
