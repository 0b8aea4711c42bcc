// The gateway's data plane: serves the connections of its clients, and forwards their calls to the
// backends that the methods belong to, or to the gateway's own services, which are behind it like
// another backend.
//
// Each lane is a thread with an event loop. A client's connection stays with the lane that took it,
// and so do its calls: each lane has connections of its own to every replica, and no lock is taken
// on a call's way but those of its books. Both legs are HTTP/2 on nghttp2; why not gRPC's own
// library is in docs/adr/0017-data-plane.md.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/access_gate.h"
#include "gateway/call_books.h"
#include "gateway/call_context.h"
#include "gateway/call_shares.h"
#include "gateway/client_connections.h"
#include "gateway/client_session.h"
#include "gateway/drain.h"
#include "gateway/route.h"
#include "gateway/upstream_set.h"
#include "runtime/base/fd.h"
#include "runtime/net/tls_context.h"

namespace rawgate::gateway {

// Order of life: construct, Start, Stop. Methods are called by one thread, but for Adopt() and
// ConnectWithin().
class Forwarder {
 public:
  // Takes one end of a connection to the gateway's own services over. On a lane's thread.
  using ServeOwn = std::function<void(Fd)>;

  // These outlive this object: `drain` counts its calls while they last, `books` for good, in a
  // table for each of the options' lanes; `gate` says who may make which, and `connections` has a
  // row for each of the clients. `tls` is how adopted connections begin; null: without it.
  Forwarder(const std::vector<std::shared_ptr<UpstreamSet>>& backends,
            const ForwarderOptions& options, const ClientLimits& limits,
            std::shared_ptr<net::TlsContext> tls, Drain& drain, CallBooks& books,
            const AccessGate& gate, ClientConnections& connections);
  ~Forwarder();

  void Start(ServeOwn serve_own);

  // Serves `fd`, which is non-blocking and whose row is in the connections, until it ends; then its
  // row is removed, before it is closed. Any thread, after Start().
  void Adopt(Fd fd, ClientSession::Identity identity, std::shared_ptr<http2::Traffic> traffic);
  // One end of a connection whose client speaks for others: see ClientSession::Identity::trusted.
  // Any thread, after Start(). Error: RESOURCE_EXHAUSTED.
  absl::StatusOr<Fd> ConnectWithin();

  // Every lane lets go of its copy of `token` in a turn of its loop.
  void AskLoops(const std::shared_ptr<void>& token);

  // Asks the clients to go elsewhere with new calls. Before the drain begins, so that they know
  // before any of these is refused.
  void AskToGo();
  // After the drain has begun: ends the calls that have no end of their own, as DrainingError().
  void EndWatches();
  // Ends every call in the same way, and takes no new ones.
  void EndAll();
  // After EndAll(): waits until what was said has been sent, `last_words` at most, and closes.
  void Stop(absl::Duration last_words);

 private:
  struct Lane;

  // Has `task` done on every lane; waits for none.
  void OnEveryLane(const std::function<void(Lane&)>& task);
  void Serve(Lane& lane, Fd fd, ClientSession::Identity identity,
             std::shared_ptr<http2::Traffic> traffic);
  void Sweep(Lane& lane);

  const ForwarderOptions options_;
  const ClientLimits limits_;
  const std::shared_ptr<net::TlsContext> tls_;
  const AccessGate& gate_;
  ClientConnections& connections_;
  CallShares shares_;
  const RouteTable routes_;
  ServeOwn serve_own_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::atomic<size_t> next_lane_ = 0;
};

}  // namespace rawgate::gateway
