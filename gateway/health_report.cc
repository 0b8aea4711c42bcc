#include "gateway/health_report.h"

#include "absl/strings/str_cat.h"
#include "gateway/route.h"

namespace rawgate::gateway {

HealthReport::HealthReport(BackendTable& table, grpc::HealthCheckServiceInterface& health)
    : table_(table), health_(health) {
  health_.SetServingStatus("", true);
  subscription_ = table_.Subscribe([this] { Update(); });
  Update();
}

HealthReport::~HealthReport() { table_.Unsubscribe(subscription_); }

void HealthReport::Update() {
  for (const auto& backend : table_.backends()) {
    const control::v1::Service service = backend->service();
    const bool reachable = service.state() != control::v1::SERVICE_STATE_UNREACHABLE;
    const bool serving = service.state() == control::v1::SERVICE_STATE_RUNNING;
    health_.SetServingStatus(service.name(), serving);
    for (const auto* typed : ForwardedServices()) {
      if (BackendOf(*typed) == service.name())
        health_.SetServingStatus(typed->full_name(), serving);
    }
    for (const control::v1::Listener& listener : service.listeners()) {
      health_.SetServingStatus(absl::StrCat(service.name(), "/", listener.name()),
                               reachable && listener.state() == control::v1::SERVICE_STATE_RUNNING);
    }
  }
}

}  // namespace rawgate::gateway
