// What stream and datagram listeners have in common: a name, an address, a state, totals.
// Everything but the const accessors of configuration runs on the loop thread.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "runtime/net/endpoint.h"
#include "runtime/net/faults.h"
#include "runtime/observe/counters.h"
#include "runtime/observe/event_log.h"

namespace rawgate::net {

using observe::State;

// One row of ControlService.ListConnections.
struct ConnectionInfo {
  uint64_t id = 0;
  std::string listener;
  Transport transport = Transport::kTcp;
  std::string peer;
  // Who makes the call, as the gateway says; empty of raw connections.
  std::string user = {};
  absl::Time open_time;
  uint64_t bytes_received = 0;
  uint64_t bytes_sent = 0;
  uint64_t requests = 0;
};

class Listener {
 public:
  Listener(std::string name, Endpoint configured, observe::EventLog& events)
      : name_(std::move(name)), configured_(configured), events_(events) {}
  virtual ~Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Binds and begins to serve. A port that was picked for port 0 is asked for again at the next
  // start. Errors: FAILED_PRECONDITION (BIND_FAILED, naming the cause).
  virtual absl::Status Start() = 0;
  // Stops serving new peers at once (the address is free again when this returns), closes
  // connections that have nothing in progress, and calls `drained` when none is left. There are no
  // faults any more.
  virtual void Stop(std::function<void()> drained) = 0;
  // Ends what Stop() is waiting for.
  virtual void CloseAll() = 0;

  // Appends rows with id > `after_id`, in order of id, until `rows` has `limit`.
  virtual void List(uint64_t after_id, size_t limit, std::vector<ConnectionInfo>* rows) = 0;
  // Brings what only the kernel counts up to date.
  virtual void RefreshCounters() {}
  // False when there is no such connection.
  virtual bool CloseConnection(uint64_t id) = 0;

  // What it does wrong from now on, in place of what it did before; empty: nothing. Only while it
  // is bound. `faults` has passed CheckFaults() and has nothing for listeners of another kind.
  void SetFaults(const Faults& faults);
  const Faults& faults() const { return faults_; }
  // Since they were set.
  const FaultCounters& fault_counters() const { return fault_counters_; }

  const std::string& name() const { return name_; }
  const Endpoint& configured() const { return configured_; }
  // Empty URI while not bound.
  std::string bound_uri() const { return bound_uri_; }
  observe::Counters& counters() { return counters_; }
  observe::EventLog& events() { return events_; }

  // What --listen says after the address, such as "?transform=identity": for people. Set before the
  // loop runs.
  std::string configured_options;

  // Kept by Service. Loop thread.
  struct Status {
    bool desired_running = true;
    State state = State::kStopped;
    absl::Time since;
    std::string last_error;
  };
  Status status;
  // What of it any thread may read, for metrics.
  std::atomic<bool> running{false};
  std::atomic<bool> desired_running{true};
  // There are faults.
  std::atomic<bool> faulty{false};

 protected:
  // faults() are others now.
  virtual void ApplyFaults() = 0;
  // A fault has hit what `peer` sent (`received`), or was sent. `connection_id` may be 0.
  void CountFault(FaultKind kind, uint64_t connection_id, const std::string& peer, bool received);

  const std::string name_;
  const Endpoint configured_;
  observe::EventLog& events_;
  observe::Counters counters_;
  std::string bound_uri_;
  FaultCounters fault_counters_;

 private:
  Faults faults_;
};

// Ids of connections, unique within the process. Any thread.
uint64_t NextConnectionId();

}  // namespace rawgate::net
