// A service: its listeners under one name, started, stopped, described and watched together. This
// is what ControlService controls. It lives on the loop thread; the methods below may be called
// from any thread, and their callbacks run on the loop thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "runtime/net/listener.h"
#include "runtime/observe/event_log.h"

namespace rawgate::net {

namespace asio = boost::asio;

struct CountersSnapshot {
  uint64_t connections_opened = 0, connections_open = 0, bytes_received = 0, bytes_sent = 0,
           datagrams_received = 0, datagrams_sent = 0, datagrams_dropped = 0,
           datagrams_overflowed = 0, send_failures = 0, requests = 0, request_errors = 0;
  // `datagrams_dropped` by reason.
  std::array<uint64_t, observe::kDropReasons> dropped{};
  std::array<uint64_t, observe::kCloseReasons> closed{};

  void Add(const observe::Counters& counters);
};

struct ListenerDescription {
  std::string name;
  Transport transport;
  std::string configured_uri;
  std::string bound_uri;
  Listener::Status status;
  CountersSnapshot counters{};
  Faults faults{};
  FaultCounters fault_counters{};
};

// Who asked for something, for the log: a URI, and the name of a user who is known.
struct Caller {
  std::string peer;
  std::string user;
};

struct ServiceDescription {
  std::string name;
  std::string instance;
  bool desired_running = true;
  State state = State::kStarting;
  absl::Time since;
  std::string last_error{};
  std::vector<ListenerDescription> listeners{};
  CountersSnapshot counters{};
};

// Something with requests in progress that are not connections: typed calls, commands. Loop thread.
class Drainable {
 public:
  virtual ~Drainable() = default;
  // Calls `drained` once, when nothing is in progress (at once if so). New work is refused
  // meanwhile: see Service::accepting().
  virtual void Drain(std::function<void()> drained) = 0;
  // Ends what is in progress.
  virtual void Cancel() = 0;
};

class Service {
 public:
  Service(asio::io_context& loop, std::string name, observe::EventLog& events);
  ~Service();

  // ---- Before the loop runs
  void Add(std::unique_ptr<Listener> listener);
  // `drainable` outlives this object.
  void Add(Drainable& drainable);
  void AllowFaults() { faults_allowed_ = true; }

  // ---- Any thread
  const std::string& name() const { return name_; }
  // Random, new for every process.
  const std::string& instance() const { return instance_; }
  asio::io_context& loop() { return loop_; }
  observe::EventLog& events() { return events_; }
  // Totals of typed calls.
  observe::Counters& rpc_counters() { return rpc_counters_; }
  // For metrics: name(), configured(), counters(), running and desired_running of each may be used
  // by any thread. Once the loop runs they are the same for ever.
  const std::vector<std::unique_ptr<Listener>>& listeners() const { return listeners_; }
  // Has the loop bring up to date what only the kernel counts, soon.
  void RefreshCounters();
  // False while stopped or draining: typed operations then answer FAILED_PRECONDITION
  // (SERVICE_STOPPED).
  bool accepting() const { return accepting_.load(std::memory_order_acquire); }

  using Done = std::function<void(absl::Status)>;
  // `listener` empty: all of them. Both are idempotent. Errors: NOT_FOUND (LISTENER_NOT_FOUND),
  // FAILED_PRECONDITION (BIND_FAILED).
  void Start(std::string listener, Done done);
  void Stop(std::string listener, absl::Duration grace, Done done);
  // Stops all for good, since the process goes: from now on both are refused with UNAVAILABLE
  // (DRAINING), so that nobody opens again what is being left.
  void StopForGood(absl::Duration grace, Done done);
  void Describe(std::function<void(ServiceDescription)> done);
  // Rows with id > after_id in order of id, at most `limit`.
  void ListConnections(uint64_t after_id, size_t limit,
                       std::function<void(std::vector<ConnectionInfo>)> done);
  // Errors: NOT_FOUND (CONNECTION_NOT_FOUND).
  void CloseConnection(uint64_t id, Done done);
  // Has `listener` misbehave, in place of what it did wrong before; with empty `faults` it behaves.
  // `listener` empty: all that are bound, each by what applies to it. Seed 0 picks one. `faults`
  // has passed CheckFaults(). Errors: FAILED_PRECONDITION (FAULTS_NOT_ALLOWED, SERVICE_STOPPED),
  // NOT_FOUND (LISTENER_NOT_FOUND), INVALID_ARGUMENT (BAD_FAULTS: none of it, or of one that is
  // named not all of it, applies), UNAVAILABLE (DRAINING).
  void SetFaults(std::string listener, Faults faults, Caller caller, Done done);

  // Calls `observer` with the service as it is, and again after each change of anything but
  // counters, in order, for as long as the loop runs. A later observer replaces an earlier one.
  using Observer = std::function<void(const ServiceDescription&)>;
  void Observe(Observer observer);

 private:
  struct StopRequest;

  // Below: loop thread.
  absl::StatusOr<std::vector<Listener*>> Select(const std::string& listener);
  absl::Status StartNow(const std::string& listener);
  void StopNow(const std::string& listener, absl::Duration grace, Done done);
  ServiceDescription DescribeNow() const;
  absl::Status SetFaultsNow(const std::string& listener, Faults faults, const Caller& caller);
  // One of the things that a request waits for has drained.
  void Complete(const std::shared_ptr<StopRequest>& request);
  void OnDrained(Listener& listener);
  // Ends the requests that wait for `listener`: it was started again.
  void Supersede(Listener& listener);
  void SetState(Listener& listener, State state, std::string last_error = {});
  // Tells the observer.
  void Changed() const;

  asio::io_context& loop_;
  const std::string name_;
  const std::string instance_;
  observe::EventLog& events_;
  observe::Counters rpc_counters_;
  std::atomic<bool> accepting_{false};
  // However often it is asked for, one refresh waits for the loop.
  std::atomic<bool> refresh_posted_{false};
  bool desired_running_ = true;
  bool started_ = false;
  bool stopped_for_good_ = false;
  bool faults_allowed_ = false;
  absl::Time since_ = absl::Now();
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<Drainable*> drainables_;
  // Stops in progress. Shared with the drain callbacks and the grace timer.
  std::vector<std::shared_ptr<StopRequest>> stops_;
  Observer observer_;
};

}  // namespace rawgate::net
