// A limit for how long a typed transfer may wait for its client, as --stall_timeout has it for
// connections.
#pragma once

#include <memory>

#include "absl/time/time.h"
#include "runtime/rpc/admission.h"

namespace rawgate::rpc {

// Watches one call. Thread-safe. Costs a clock reading each time the client's turn begins.
class StallTimer {
 public:
  // Once the client's turn has lasted for `timeout`, the call is asked to end with
  // DEADLINE_EXCEEDED (STALLED): see Call::OnEndRequested(). `call` outlives this object. It is the
  // service's turn at first.
  StallTimer(const Call& call, absl::Duration timeout);
  // The call is not asked afterwards; waits for the asking that is under way.
  ~StallTimer();
  StallTimer(const StallTimer&) = delete;
  StallTimer& operator=(const StallTimer&) = delete;

  // It is the client's turn, from now on: to send, or to read what was written.
  void AwaitClient();
  // It is not.
  void ClientDid();

 private:
  class Impl;
  // Also owned by its wait.
  const std::shared_ptr<Impl> impl_;
};

}  // namespace rawgate::rpc
