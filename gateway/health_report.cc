#include "gateway/health_report.h"

#include "absl/strings/str_cat.h"
#include "gateway/route.h"

namespace rawgate::gateway {

HealthReport::HealthReport(BackendTable& table, grpc::HealthCheckServiceInterface& health)
    : table_(table), health_(health) {
  health_.SetServingStatus("", true);
  // The table calls one at a time, but not this first one.
  Update();
  subscription_ = table_.Subscribe([this] { Update(); });
}

HealthReport::~HealthReport() { table_.Unsubscribe(subscription_); }

void HealthReport::Update() {
  // Of those told before, the ones that nothing is known of any more are not serving.
  for (auto& [name, serving] : told_) serving = false;
  for (const auto& backend : table_.backends()) {
    told_[backend->name()] = false;
    for (const control::v1::Service& replica : backend->rows()) Add(replica);
    for (const auto* typed : ForwardedServices()) {
      if (BackendOf(*typed) == backend->name())
        told_[std::string(typed->full_name())] = told_[backend->name()];
    }
  }
  for (const auto& [name, serving] : told_) health_.SetServingStatus(name, serving);
}

void HealthReport::Add(const control::v1::Service& replica) {
  if (replica.state() == control::v1::SERVICE_STATE_RUNNING) told_[replica.name()] = true;
  const bool reachable = replica.state() != control::v1::SERVICE_STATE_UNREACHABLE;
  for (const control::v1::Listener& listener : replica.listeners()) {
    told_[absl::StrCat(replica.name(), "/", listener.name())] |=
        reachable && listener.state() == control::v1::SERVICE_STATE_RUNNING;
  }
}

}  // namespace rawgate::gateway
