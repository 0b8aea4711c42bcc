// What the forwarded calls of one loop share.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/random/random.h"
#include "absl/time/time.h"
#include "gateway/access_gate.h"
#include "gateway/call_books.h"
#include "gateway/call_shares.h"
#include "gateway/client_connections.h"
#include "gateway/deadlines.h"
#include "gateway/drain.h"
#include "gateway/route.h"
#include "gateway/upstream_pool.h"
#include "runtime/http2/loop.h"
#include "runtime/rpc/call_table.h"
#include "runtime/rpc/server.h"

namespace rawgate::gateway {

struct ForwarderOptions {
  // Threads, each with connections of its own to every replica.
  int lanes = 1;
  // Calls in progress beyond these are refused: RESOURCE_EXHAUSTED (TOO_MANY_CALLS, with
  // RetryInfo).
  int64_t calls_max = 4096;
  // Those of one user, or of one source where nobody is asked who he is, and refused in the same
  // way beyond: the other half of the places stays for others.
  int64_t calls_of_one_max = 2048;
  // Those of each of the gateway's own services, counted apart, and refused in the same way beyond.
  int64_t calls_of_own_service_max = 4096;
  // Deadline of unary calls that came without one, counted from their headers, and how long any
  // call may wait for its client: see ForwardedCall.
  absl::Duration unary_ceiling = absl::Seconds(60);
  // Of all messages on their way, on all loops. A call that would need more is ended:
  // RESOURCE_EXHAUSTED (BUFFERS_FULL, with RetryInfo).
  size_t buffers_max = rpc::kBuffersMax;
};

class ForwardedCall;
// On the loop's thread.
struct CallContext {
  http2::Loop& loop;
  Deadlines& deadlines;
  const ForwarderOptions& options;
  const RouteTable& routes;
  Drain& drain;
  CallBooks& books;
  rpc::CallTable& table;
  const AccessGate& gate;
  CallShares& shares;
  ClientConnections& connections;
  // In the order of the routes' backends, and that of the gateway's own services.
  std::vector<std::unique_ptr<UpstreamPool>> pools = {};
  std::unique_ptr<UpstreamPool> own = nullptr;
  // In progress.
  absl::flat_hash_set<ForwardedCall*> calls = {};
  absl::InsecureBitGen random = {};
  // Bytes on their way on this loop.
  size_t buffered = 0;
};

}  // namespace rawgate::gateway
