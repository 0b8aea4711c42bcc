// The forwarding path: accepts every call of the server that no registered service handles and
// forwards it to the backend that its method belongs to.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "gateway/access_gate.h"
#include "gateway/call_books.h"
#include "gateway/call_shares.h"
#include "gateway/drain.h"
#include "gateway/forwarded_call.h"
#include "gateway/forwarding_channels.h"
#include "gateway/route.h"
#include "grpcpp/alarm.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/server_builder.h"
#include "runtime/rpc/lane.h"

namespace rawgate::gateway {

struct ForwarderOptions {
  // Threads, each with its own completion queue.
  int lanes = 2;
  // Calls in progress beyond these are refused: RESOURCE_EXHAUSTED (TOO_MANY_CALLS, with
  // RetryInfo).
  int64_t calls_max = 4096;
  // Those of one user, or of one source where nobody is asked who he is (see ShareHolderOf()), and
  // refused in the same way beyond: the other half of the places stays for others.
  int64_t calls_of_one_max = 2048;
  // Deadline of unary calls that came without one, counted from their headers, and how long any
  // call may wait for its client: see ForwardedCall. Up to a second more passes before that is
  // noticed.
  absl::Duration unary_ceiling = absl::Seconds(60);
};

struct ForwardingBackend {
  std::string name;
  std::shared_ptr<ForwardingChannels> channels;
};

// Order of life: construct, Register, (server built), Start, then Stop after the server's Shutdown.
// Methods are called by one thread.
class Forwarder {
 public:
  // These outlive this object: `drain` counts its calls while they last, `books` for good, in a
  // table for each of the options' lanes; `gate` says who may make which.
  Forwarder(std::vector<ForwardingBackend> backends, ForwarderOptions options, Drain& drain,
            CallBooks& books, const AccessGate& gate);
  ~Forwarder();

  // Makes this the server's handler of last resort.
  void Register(grpc::ServerBuilder& builder);
  void Start();

  // After the drain has begun: ends the calls that have no end of their own, as DrainingError().
  void EndWatches();
  // Ends every call in the same way.
  void EndAll();

  // After the server's Shutdown, which cancelled what was left: waits until the last call is gone.
  void Stop();

 private:
  struct LaneState;

  rpc::RootTask Serve(LaneState& lane);
  rpc::Task ServeAccepted(LaneState& lane, ForwardedCall& call);
  rpc::RootTask AwaitEndWatches(LaneState& lane);
  rpc::RootTask AwaitEndAll(LaneState& lane);
  // Ends, now and then, the calls that wait for their client in vain, and those whose caller may
  // not make them any more: one alarm for all of them, where one for each would be another trip
  // through the queue for every call that is quick.
  rpc::RootTask EndLateCalls(LaneState& lane);
  absl::Status Admit(ForwardedCall& call, const absl::StatusOr<const Route*>& route,
                     const Drain::Ticket& ticket) const;

  const ForwarderOptions options_;
  Drain& drain_;
  CallBooks& books_;
  const AccessGate& gate_;
  CallShares shares_;
  const RouteTable routes_;
  const std::vector<ForwardingBackend> backends_;
  grpc::AsyncGenericService service_;
  std::vector<std::unique_ptr<LaneState>> lanes_;
};

}  // namespace rawgate::gateway
