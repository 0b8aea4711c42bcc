#include "gateway/call_books.h"

#include <algorithm>
#include <utility>

#include "gateway/route.h"
#include "gateway/served_services.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::gateway {
namespace {

using google::protobuf::ServiceDescriptor;

// Whatever no servicer is registered for ends up at the forwarder.
bool IsForwarded(const rpc::MethodList::Row& row) {
  const auto& forwarded = ForwardedServices();
  return row.service == "unknown" ||
         std::any_of(forwarded.begin(), forwarded.end(), [&](const ServiceDescriptor* service) {
           return service->full_name() == row.service;
         });
}

// Its servicer tells what it refuses: other errors are those of the services that it asks.
bool PassesOn(const rpc::MethodList::Row& row) {
  return row.service == control::v1::ControlService::service_full_name();
}

}  // namespace

CallBooks::CallBooks(int lanes, spdlog::level::level_enum level)
    : level_(level), methods_(ServedServices()) {
  for (const rpc::MethodList::Row& row : methods_.rows()) own_.push_back(!IsForwarded(row));
  for (int i = 0; i < lanes + 1; ++i) {
    tables_.push_back(std::make_unique<rpc::CallTable>(methods_));
  }
}

void CallBooks::Observe(
    grpc::ServerBuilder& builder,
    std::function<rpc::CallObservation::Caller(const grpc::ServerContextBase&)> caller) {
  rpc::ObserveCalls(builder, {.table = *tables_.back(),
                              .left_out = IsForwarded,
                              .calls_max = kOwnCallsMax,
                              .level = level_,
                              .caller = std::move(caller),
                              .failed = [this](const auto& row, const grpc::Status& status) {
                                if (!PassesOn(row)) CountRefusal(rpc::FromGrpc(status));
                              }});
}

void CallBooks::CountRefusal(const absl::Status& status) {
  const auto* const reason = std::find(kReasons.begin(), kReasons.end(), ReasonOf(status));
  if (reason != kReasons.end()) refused_[static_cast<size_t>(reason - kReasons.begin())].Add();
}

void CallBooks::AddTo(metrics::Page& page) const {
  std::vector<const rpc::CallTable*> tables;
  for (const auto& table : tables_) tables.push_back(table.get());
  rpc::AddCalls(page, tables);
  for (size_t i = 0; i < kReasons.size(); ++i) {
    page.AddCounter("rawgate_gateway_refused_calls_total",
                    "Calls that the gateway itself refused, by why it did.",
                    {{"reason", kReasons[i]}}, static_cast<double>(refused_[i].value()));
  }
}

}  // namespace rawgate::gateway
