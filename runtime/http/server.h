// An HTTP/1.1 server for few, and possibly hostile, clients: probes, scrapers, browsers, curl.
// RFC 9110, RFC 9112. One thread of its own serves all connections.
//
// What it refuses before any handler sees it: what two readers could understand differently
// (request smuggling: RFC 9112 section 11.2), with 400 and the end of the connection; hosts that
// this server is not (421), so that a name which an attacker points at this machine is of no use
// to him (DNS rebinding); requests that a browser makes for a page of another origin (403).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "runtime/http/counters.h"
#include "runtime/http/exchange.h"
#include "runtime/net/endpoint.h"

namespace boost::asio::ssl {
class context;
}

namespace rawgate::http {

struct ServerOptions {
  // One more takes the place of the one that waits longest for its client: for a handshake, a
  // request or the rest of a head. Where none waits it is answered with 503 and closed.
  size_t connections_max = 1'000;
  // Of one source off loopback: an IPv4 address, an IPv6 /64. One more is answered with 503 and
  // closed.
  size_t connections_per_source_max = 100;
  // Request line and fields together, and the trailers of a chunked body; more is 431.
  size_t header_bytes_max = 16 << 10;
  // One body; more is 413. And all that are being held at once: one more takes the memory of the
  // one that has been coming longest, whose connection is closed; where all have come it is 503.
  uint64_t body_bytes_max = 4 << 20;
  uint64_t bodies_bytes_max = 64 << 20;
  // From the first byte of a request, or from the connection for its first; then 408.
  absl::Duration header_timeout = absl::Seconds(10);
  // How long a body or an answer may make no progress, and in each such time of waiting for the
  // client it must make bytes_per_second_min: http::Pace.
  absl::Duration stall_timeout = absl::Seconds(30);
  uint64_t bytes_per_second_min = 16 << 10;
  // How long one who has ended its sending may still be answered.
  absl::Duration half_closed_timeout = absl::Seconds(5);
  // Between two requests.
  absl::Duration idle_timeout = absl::Seconds(60);
  // Names that clients may call this server by, beside localhost, loopback addresses and the
  // address that they connected to. Without ports.
  std::vector<std::string> hosts = {};
  // Origins ("https://console.example:8443") whose pages may use this server from browsers, beside
  // its own.
  std::vector<std::string> origins = {};
  // Makes it speak TLS: asked for each connection, so that a certificate can change. May return
  // null, and the connection is closed. Called on the server's thread.
  std::function<std::shared_ptr<boost::asio::ssl::context>()> tls = {};
  // What the server counts.
  std::shared_ptr<ServerCounters> counters = std::make_shared<ServerCounters>();
};

// Methods are called by one thread.
class Server {
 public:
  // Serves tcp:// and unix:// addresses from when it returns. Errors: INVALID_ARGUMENT
  // (BAD_LISTEN: an address of datagrams; BAD_OPTION), FAILED_PRECONDITION (BIND_FAILED).
  static absl::StatusOr<std::unique_ptr<Server>> Start(const std::vector<net::Endpoint>& addresses,
                                                       ServerOptions options, Handler handler);
  // As Stop() without grace, if that has not been called.
  ~Server();

  // As bound, in the order of the addresses.
  const std::vector<std::string>& uris() const { return uris_; }

  // Accepts no more, closes what is idle, lets requests in progress be answered for `grace`, closes
  // the rest, and ends the thread. Afterwards exchanges that handlers still hold do nothing.
  void Stop(absl::Duration grace);

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
  std::vector<std::string> uris_;
};

}  // namespace rawgate::http
