// The Discard Protocol (RFC 863) on sockets: PROTOCOL.md's "discard".
#pragma once

#include <optional>
#include <span>

#include "runtime/net/datagram_listener.h"
#include "runtime/net/stream_listener.h"

namespace rawgate::echo {

// What one read brings is one request, as with echo.
class DiscardStreamSession final : public net::StreamHandler {
 public:
  net::Next OnReadable(net::Connection& connection) override;
  boost::asio::awaitable<net::Next> Serve(net::Connection& connection) override;
};

// Each datagram is one request.
class DiscardDatagramSession final : public net::DatagramHandler {
 public:
  std::optional<size_t> OnDatagram(const net::Datagram&, std::span<char>) override {
    return std::nullopt;
  }
};

}  // namespace rawgate::echo
