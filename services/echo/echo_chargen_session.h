// Chargen on stream sockets: PROTOCOL.md's "chargen". There is none over UDP, see
// ChargenOverDatagrams().
#pragma once

#include "absl/status/status.h"
#include "runtime/net/stream_listener.h"
#include "services/echo/echo_chargen.h"

namespace rawgate::echo {

// A connection is one request, counted when it ends, whoever ends it.
class ChargenSession final : public net::StreamHandler {
 public:
  explicit ChargenSession(ByteRate rate) : rate_(rate) {}

  net::Next OnOpen(net::Connection&) override { return net::Next::kServe; }
  boost::asio::awaitable<net::Next> Serve(net::Connection& connection) override;

 private:
  const ByteRate rate_;
  // Connections that are being served.
  size_t open_ = 0;
};

// Why datagram listeners are refused: FAILED_PRECONDITION (AMPLIFIES).
absl::Status ChargenOverDatagrams();

}  // namespace rawgate::echo
