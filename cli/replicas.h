// Services that run as several processes, and how people tell those apart.
#pragma once

#include <map>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"

namespace rawgate::cli {

// "3f9a1c2b": as much of Service.instance as is shown. Safe for a terminal.
std::string ShortInstance(const std::string& instance);

// Names of the services that have several.
std::set<std::string> ReplicatedServices(const control::v1::ListServicesResponse& response);

// The instance of `service` that begins with `prefix`; `prefix` itself where that is empty or where
// there is none, as the gateway then says so. Error: INVALID_ARGUMENT (AMBIGUOUS_INSTANCE), and
// those of ListServices.
absl::StatusOr<std::string> FindInstance(control::v1::ControlService::Stub& stub,
                                         const std::string& service, const std::string& prefix);

// What a watch of events has told of replicas.
class WatchedReplicas {
 public:
  void Take(const control::v1::WatchEventsResponse& message);
  // ShortInstance(), or nothing while this is the service's only process.
  std::string NameOf(const std::string& service, const std::string& instance) const;

 private:
  // By service, those that are there, or may come back.
  std::map<std::string, std::set<std::string>> instances_;
};

}  // namespace rawgate::cli
