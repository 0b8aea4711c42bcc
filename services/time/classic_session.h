// The two oldest time protocols, daytime (RFC 867) and time (RFC 868), over streams and datagrams:
// whoever connects, or sends any datagram, is told the time. PROTOCOL.md.
#pragma once

#include <optional>
#include <span>

#include "runtime/net/datagram_listener.h"
#include "runtime/net/stream_listener.h"
#include "services/time/time_core.h"

namespace rawgate::timesvc {

enum class ClassicProtocol {
  kDaytime,  // a line as of ctime(3), ending in CR LF, in the server's zone
  kTime,     // 32 bits, big-endian: seconds since 1900-01-01 00:00:00 UTC, modulo 2^32
};

// Longest answer, whatever the year.
inline constexpr size_t kClassicAnswerMax = 48;

// Writes the time, cut to `out`, and returns the size. Loop thread.
size_t AnswerClassic(ClassicProtocol protocol, TimeCore& core, std::span<char> out);

// Tells the time and ends the stream. What the client sends is discarded.
class ClassicStreamSession final : public net::StreamHandler {
 public:
  // `core` outlives this object.
  ClassicStreamSession(ClassicProtocol protocol, TimeCore& core)
      : protocol_(protocol), core_(core) {}

  net::Next OnOpen(net::Connection&) override { return net::Next::kServe; }
  boost::asio::awaitable<net::Next> Serve(net::Connection& connection) override;

 private:
  const ClassicProtocol protocol_;
  TimeCore& core_;
};

class ClassicDatagramSession final : public net::DatagramHandler {
 public:
  // `core` outlives this object.
  ClassicDatagramSession(ClassicProtocol protocol, TimeCore& core)
      : protocol_(protocol), core_(core) {}

  // What its listeners need.
  static net::DatagramOptions Options();

  std::optional<size_t> OnDatagram(const net::Datagram& datagram, std::span<char> reply) override;

 private:
  const ClassicProtocol protocol_;
  TimeCore& core_;
};

}  // namespace rawgate::timesvc
