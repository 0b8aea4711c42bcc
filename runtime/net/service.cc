#include "runtime/net/service.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "runtime/base/instance.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace rawgate::net {

struct Service::StopRequest {
  explicit StopRequest(asio::io_context& loop) : grace(loop) {}

  // Listeners and drainables that have not drained.
  size_t pending = 0;
  std::vector<Listener*> listeners;
  bool whole = false;
  asio::steady_timer grace;
  Done done;
};

void CountersSnapshot::Add(const observe::Counters& counters) {
  connections_opened += counters.connections_opened.value();
  connections_open += counters.connections_open.value();
  bytes_received += counters.bytes_received.value();
  bytes_sent += counters.bytes_sent.value();
  datagrams_received += counters.datagrams_received.value();
  datagrams_sent += counters.datagrams_sent.value();
  datagrams_dropped += counters.datagrams_dropped();
  for (size_t i = 0; i < dropped.size(); ++i) dropped[i] += counters.dropped[i].value();
  datagrams_overflowed += counters.datagrams_overflowed.value();
  send_failures += counters.send_failures.value();
  requests += counters.requests.value();
  request_errors += counters.request_errors.value();
  for (size_t i = 0; i < closed.size(); ++i) closed[i] += counters.closed[i].value();
}

Service::Service(asio::io_context& loop, std::string name, observe::EventLog& events)
    : loop_(loop), name_(std::move(name)), instance_(RandomInstance()), events_(events) {}

Service::~Service() = default;

void Service::Add(std::unique_ptr<Listener> listener) { listeners_.push_back(std::move(listener)); }
void Service::Add(Drainable& drainable) { drainables_.push_back(&drainable); }

void Service::Start(std::string listener, Done done) {
  asio::post(loop_, [this, listener = std::move(listener), done = std::move(done)] {
    done(StartNow(listener));
  });
}

void Service::Stop(std::string listener, absl::Duration grace, Done done) {
  asio::post(loop_,
             [this, listener = std::move(listener), grace, done = std::move(done)]() mutable {
               if (stopped_for_good_) return done(DrainingError());
               StopNow(listener, grace, std::move(done));
             });
}

void Service::StopForGood(absl::Duration grace, Done done) {
  asio::post(loop_, [this, grace, done = std::move(done)]() mutable {
    stopped_for_good_ = true;
    StopNow("", grace, std::move(done));
  });
}

void Service::Describe(std::function<void(ServiceDescription)> done) {
  asio::post(loop_, [this, done = std::move(done)] { done(DescribeNow()); });
}

void Service::RefreshCounters() {
  if (refresh_posted_.exchange(true)) return;
  asio::post(loop_, [this] {
    refresh_posted_ = false;
    for (const auto& listener : listeners_) listener->RefreshCounters();
  });
}

void Service::ListConnections(uint64_t after_id, size_t limit,
                              std::function<void(std::vector<ConnectionInfo>)> done) {
  asio::post(loop_, [this, after_id, limit, done = std::move(done)] {
    std::vector<ConnectionInfo> rows;
    for (const auto& listener : listeners_) {
      // Each listener's rows are in order of id, the union is not: take up to the limit from each,
      // then cut.
      std::vector<ConnectionInfo> of_one;
      listener->List(after_id, limit, &of_one);
      std::move(of_one.begin(), of_one.end(), std::back_inserter(rows));
    }
    std::sort(rows.begin(), rows.end(),
              [](const ConnectionInfo& a, const ConnectionInfo& b) { return a.id < b.id; });
    if (rows.size() > limit) rows.resize(limit);
    done(std::move(rows));
  });
}

void Service::CloseConnection(uint64_t id, Done done) {
  asio::post(loop_, [this, id, done = std::move(done)] {
    for (const auto& listener : listeners_) {
      if (listener->CloseConnection(id)) return done(absl::OkStatus());
    }
    done(Error(absl::StatusCode::kNotFound, "CONNECTION_NOT_FOUND",
               absl::StrCat("service ", name_, " has no connection ", id)));
  });
}

void Service::Observe(Observer observer) {
  asio::post(loop_, [this, observer = std::move(observer)]() mutable {
    observer_ = std::move(observer);
    Changed();
  });
}

// ---- Loop thread

absl::StatusOr<std::vector<Listener*>> Service::Select(const std::string& listener) {
  std::vector<Listener*> selected;
  for (const auto& candidate : listeners_) {
    if (listener.empty() || candidate->name() == listener) selected.push_back(candidate.get());
  }
  if (selected.empty() && !listener.empty()) {
    return Error(absl::StatusCode::kNotFound, "LISTENER_NOT_FOUND",
                 absl::StrCat("service ", name_, " has no listener ", observe::Quoted(listener)));
  }
  return selected;
}

absl::Status Service::StartNow(const std::string& listener) {
  if (stopped_for_good_) return DrainingError();
  const auto selected = Select(listener);
  if (!selected.ok()) return selected.status();
  absl::Status first_error;
  for (Listener* one : *selected) {
    one->status.desired_running = true;
    if (one->status.state == State::kRunning) continue;
    Supersede(*one);
    if (absl::Status bound = one->Start(); !bound.ok()) {
      spdlog::error("{}: {}", one->name(), std::string(bound.message()));
      SetState(*one, State::kFailed, std::string(bound.message()));
      if (first_error.ok()) first_error = std::move(bound);
    } else {
      SetState(*one, State::kRunning);
    }
  }
  if (!accepting() || !started_) since_ = absl::Now();
  started_ = true;
  desired_running_ = true;
  accepting_.store(true, std::memory_order_release);
  Changed();
  return first_error;
}

void Service::StopNow(const std::string& listener, absl::Duration grace, Done done) {
  const auto selected = Select(listener);
  if (!selected.ok()) return done(selected.status());
  const auto request = std::make_shared<StopRequest>(loop_);
  request->listeners = *selected;
  request->whole = listener.empty();
  request->done = std::move(done);
  // One for this function itself, so that a drain that completes at once does not end the request
  // half-way.
  request->pending = 1;
  stops_.push_back(request);

  for (Listener* one : request->listeners) {
    one->status.desired_running = false;
    if (one->status.state == State::kRunning) {
      SetState(*one, State::kDraining);
      ++request->pending;
      one->Stop([this, one] { OnDrained(*one); });
    } else if (one->status.state == State::kDraining) {
      ++request->pending;
    } else {
      SetState(*one, State::kStopped);
    }
  }
  if (request->whole) {
    desired_running_ = false;
    since_ = absl::Now();
    accepting_.store(false, std::memory_order_release);
    for (Drainable* drainable : drainables_) {
      ++request->pending;
      drainable->Drain([this, request] { Complete(request); });
    }
  }
  Changed();
  request->grace.expires_after(absl::ToChronoNanoseconds(grace));
  request->grace.async_wait([this, request](const boost::system::error_code& error) {
    if (error) return;
    for (Listener* one : request->listeners) {
      if (one->status.state == State::kDraining) one->CloseAll();
    }
    // Started again meanwhile: what is in progress now is not what this stop was about.
    if (!request->whole || accepting()) return;
    for (Drainable* drainable : drainables_) drainable->Cancel();
  });
  Complete(request);
}

void Service::Complete(const std::shared_ptr<StopRequest>& request) {
  if (--request->pending > 0) return;
  request->grace.cancel();
  std::erase(stops_, request);
  if (request->whole) since_ = absl::Now();
  Changed();
  if (request->done) std::exchange(request->done, nullptr)(absl::OkStatus());
}

void Service::OnDrained(Listener& listener) {
  SetState(listener, State::kStopped);
  const auto stops = stops_;  // Complete() takes requests out.
  for (const auto& request : stops) {
    if (std::count(request->listeners.begin(), request->listeners.end(), &listener) > 0)
      Complete(request);
  }
}

void Service::Supersede(Listener& listener) {
  if (listener.status.state != State::kDraining) return;
  for (const auto& request : stops_) {
    if (std::erase(request->listeners, &listener) == 0) continue;
    --request->pending;
    if (!request->done) continue;
    std::exchange(request->done, nullptr)(
        Error(absl::StatusCode::kAborted, "SUPERSEDED",
              absl::StrCat("listener ", listener.name(), " was started again while it drained")));
  }
  std::erase_if(stops_, [](const auto& request) { return request->pending == 0; });
}

void Service::SetState(Listener& listener, State state, std::string last_error) {
  listener.status.state = state;
  listener.status.since = absl::Now();
  listener.status.last_error = std::move(last_error);
  listener.running.store(state == State::kRunning, std::memory_order_relaxed);
  listener.desired_running.store(listener.status.desired_running, std::memory_order_relaxed);
  events_.Record(listener.name(), 0, [&] {
    return observe::ListenerStateChanged{state, listener.bound_uri(), listener.status.last_error};
  });
}

ServiceDescription Service::DescribeNow() const {
  ServiceDescription description{.name = name_,
                                 .instance = instance_,
                                 .desired_running = desired_running_,
                                 .state = State::kRunning,
                                 .since = since_};
  for (const auto& listener : listeners_) {
    ListenerDescription row{
        .name = listener->name(),
        .transport = listener->configured().transport(),
        .configured_uri = listener->configured().ToUri() + listener->configured_options,
        .bound_uri = listener->bound_uri(),
        .status = listener->status,
        .faults = listener->faults(),
        .fault_counters = listener->fault_counters()};
    listener->RefreshCounters();
    row.counters.Add(listener->counters());
    description.counters.Add(listener->counters());
    if (row.status.state == State::kFailed && desired_running_) {
      description.state = State::kFailed;
      description.last_error = row.status.last_error;
    }
    description.listeners.push_back(std::move(row));
  }
  description.counters.Add(rpc_counters_);
  if (!started_) description.state = State::kStarting;
  if (!desired_running_) {
    const bool draining =
        std::any_of(stops_.begin(), stops_.end(), [](const auto& stop) { return stop->whole; });
    description.state = draining ? State::kDraining : State::kStopped;
  }
  return description;
}

void Service::Changed() const {
  if (observer_) observer_(DescribeNow());
}

}  // namespace rawgate::net
