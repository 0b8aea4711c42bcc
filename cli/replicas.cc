#include "cli/replicas.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/display_text.h"
#include "cli/gateway.h"
#include "runtime/base/status.h"

namespace rawgate::cli {

using control::v1::ControlService;

std::string ShortInstance(const std::string& instance) {
  constexpr size_t kShown = 8;
  return Printable(instance.substr(0, kShown));
}

std::set<std::string> ReplicatedServices(const control::v1::ListServicesResponse& response) {
  std::set<std::string> seen;
  std::set<std::string> replicated;
  for (const auto& service : response.services()) {
    if (!seen.insert(service.name()).second) replicated.insert(service.name());
  }
  return replicated;
}

absl::StatusOr<std::string> FindInstance(ControlService::Stub& stub, const std::string& service,
                                         const std::string& prefix) {
  if (prefix.empty()) return prefix;
  const auto response = Call(stub, &ControlService::Stub::ListServices, {});
  if (!response.ok()) return response.status();
  std::vector<std::string> found;
  for (const auto& replica : response->services()) {
    if (replica.name() == service && absl::StartsWith(replica.instance(), prefix))
      found.push_back(replica.instance());
  }
  if (found.size() > 1) {
    return FieldError("instance", "AMBIGUOUS_INSTANCE",
                      absl::StrCat("'", prefix, "' is the beginning of several instances of ",
                                   service, ": ", absl::StrJoin(found, ", ")));
  }
  return found.empty() ? prefix : found[0];
}

void WatchedReplicas::Take(const control::v1::WatchEventsResponse& message) {
  for (const auto& lost : message.lost()) {
    if (lost.count() == 0) instances_[lost.service()].erase(lost.instance());
  }
  for (const auto& position : message.positions())
    instances_[position.service()].insert(position.instance());
}

std::string WatchedReplicas::NameOf(const std::string& service, const std::string& instance) const {
  const auto known = instances_.find(service);
  if (known == instances_.end() || instance.empty()) return "";
  const size_t others = known->second.size() - known->second.count(instance);
  return others == 0 ? "" : ShortInstance(instance);
}

}  // namespace rawgate::cli
