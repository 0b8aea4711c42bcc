// Calls that the gateway makes of backends on behalf of a client's call, typed: what travels with
// them, how long they may take, and their end when the gateway goes. The forwarder does the same
// for calls that it does not decode.
#pragma once

#include <memory>

#include "absl/time/time.h"
#include "grpcpp/client_context.h"
#include "grpcpp/server_context.h"

namespace rawgate::gateway {

// The children of one servicer's unary calls. Thread-safe. What it makes may outlive it, but has a
// share of the backend's channel: whoever holds a child drops it before the client's call is
// finished. From then on the gateway may go, and the last share must not be left to one of
// gRPC's own threads.
class ChildCalls {
 public:
  ChildCalls();
  ~ChildCalls();

  // A child of `client`: cancelled with it, with its deadline, or where it has none `ceiling` from
  // now, and with its metadata. `client` stays until the child's call has ended.
  std::shared_ptr<grpc::ClientContext> Make(const grpc::CallbackServerContext& client,
                                            absl::Duration ceiling);
  // The same, ending at most `within` from now whatever the client's deadline.
  std::shared_ptr<grpc::ClientContext> MakeBrief(const grpc::CallbackServerContext& client,
                                                 absl::Duration within);

  // Cancels all of them, and those that are still to be made. A client is then to be told that the
  // gateway goes: see ended().
  void EndAll();
  bool ended() const;

 private:
  class Registry;
  std::shared_ptr<grpc::ClientContext> Register(std::unique_ptr<grpc::ClientContext> child);

  // Also owned by every child, which leaves it when it goes.
  const std::shared_ptr<Registry> registry_;
};

}  // namespace rawgate::gateway
