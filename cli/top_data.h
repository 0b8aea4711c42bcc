// What `rawgate top` knows of the gateway and the services.
#pragma once

#include <cstdint>
#include <deque>
#include <set>
#include <string>

#include "absl/time/time.h"
#include "cli/replicas.h"
#include "cli/top_rates.h"
#include "rawgate/control/v1/control_service.pb.h"

namespace rawgate::cli {

// A key that stays the same for what a row is about, also when its process is replaced: "echo" and
// the gateway's address of the process.
std::string TopKey(const control::v1::Service& service);
std::string TopKey(const control::v1::Service& service, const control::v1::Listener& listener);
std::string TopKey(const control::v1::Connection& connection);

// One thread.
class TopData {
 public:
  // At most as many events are kept.
  static constexpr size_t kEventsMax = 1000;

  struct Happened {
    // One of them.
    control::v1::Event event;
    control::v1::EventsLost lost;
    bool is_lost = false;
    absl::Time time;
    // Of a service with several processes.
    std::string replica;
  };

  void Take(absl::Time now, control::v1::ListServicesResponse services);
  void Take(absl::Time now, control::v1::ListConnectionsResponse connections);
  void Take(absl::Time now, const control::v1::WatchEventsResponse& events);
  // Why nothing comes from the gateway, safe for a terminal; empty when it does.
  void SetTrouble(std::string trouble) { trouble_ = std::move(trouble); }

  // When `services` were so.
  absl::Time time() const { return time_; }
  const control::v1::ListServicesResponse& services() const { return services_; }
  // Of these, instances are shown.
  const std::set<std::string>& replicated() const { return replicated_; }
  // One page.
  const control::v1::ListConnectionsResponse& connections() const { return connections_; }
  const std::deque<Happened>& events() const { return events_; }
  const std::string& trouble() const { return trouble_; }

  TopRates RatesOf(const control::v1::Service& service) const;
  TopRates RatesOf(const control::v1::Service& service,
                   const control::v1::Listener& listener) const;
  TopRates RatesOf(const control::v1::Connection& connection) const;

 private:
  absl::Time time_;
  control::v1::ListServicesResponse services_;
  std::set<std::string> replicated_;
  TopRateBook service_rates_;
  control::v1::ListConnectionsResponse connections_;
  TopRateBook connection_rates_;
  std::deque<Happened> events_;
  WatchedReplicas watched_;
  std::string trouble_;
};

}  // namespace rawgate::cli
