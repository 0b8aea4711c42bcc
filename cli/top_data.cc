#include "cli/top_data.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/proto_text.h"

namespace rawgate::cli {
namespace {

using control::v1::Connection;
using control::v1::Counters;
using control::v1::Listener;
using control::v1::Service;

TopTotals TotalsOf(const Counters& counters) {
  return {counters.requests(), counters.request_errors(), counters.bytes_received(),
          counters.bytes_sent()};
}

// Another process counts anew.
std::string RateKey(const Service& service, const std::string& key) {
  return absl::StrCat(key, "\n", service.instance());
}

}  // namespace

std::string TopKey(const Service& service) {
  return absl::StrCat(service.name(), "\n", service.address());
}

std::string TopKey(const Service& service, const Listener& listener) {
  return absl::StrCat(TopKey(service), "\n", listener.name());
}

std::string TopKey(const Connection& connection) {
  return absl::StrCat(connection.service(), "\n", connection.instance(), "\n", connection.id());
}

void TopData::Take(absl::Time now, control::v1::ListServicesResponse services) {
  time_ = now;
  services_ = std::move(services);
  replicated_ = ReplicatedServices(services_);
  for (const Service& service : services_.services()) {
    service_rates_.Sample(RateKey(service, TopKey(service)), now, TotalsOf(service.counters()));
    for (const Listener& listener : service.listeners()) {
      service_rates_.Sample(RateKey(service, TopKey(service, listener)), now,
                            TotalsOf(listener.counters()));
    }
  }
  service_rates_.EndSample(now);
}

void TopData::Take(absl::Time now, control::v1::ListConnectionsResponse connections) {
  connections_ = std::move(connections);
  for (const Connection& connection : connections_.connections()) {
    connection_rates_.Sample(
        TopKey(connection), now,
        {connection.requests(), 0, connection.bytes_received(), connection.bytes_sent()});
  }
  connection_rates_.EndSample(now);
}

void TopData::Take(absl::Time now, const control::v1::WatchEventsResponse& message) {
  for (const auto& lost : message.lost()) {
    events_.push_back({{}, lost, true, now, watched_.NameOf(lost.service(), lost.instance())});
  }
  watched_.Take(message);
  for (const auto& event : message.events()) {
    events_.push_back({event,
                       {},
                       false,
                       ToTime(event.time()),
                       watched_.NameOf(event.service(), event.instance())});
  }
  while (events_.size() > kEventsMax) events_.pop_front();
}

TopRates TopData::RatesOf(const Service& service) const {
  return service_rates_.Of(RateKey(service, TopKey(service)));
}

TopRates TopData::RatesOf(const Service& service, const Listener& listener) const {
  return service_rates_.Of(RateKey(service, TopKey(service, listener)));
}

TopRates TopData::RatesOf(const Connection& connection) const {
  return connection_rates_.Of(TopKey(connection));
}

}  // namespace rawgate::cli
