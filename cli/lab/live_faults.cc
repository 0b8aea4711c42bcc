#include "cli/lab/live_faults.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::cli::lab {
namespace {

using control::v1::ControlService;

const control::v1::Listener* ListenerOf(const control::v1::Service& service,
                                        const std::string& name) {
  for (const auto& listener : service.listeners()) {
    if (listener.name() == name) return &listener;
  }
  return nullptr;
}

absl::Status CheckUnused(ControlService::Stub& stub, const Target& target) {
  control::v1::GetServiceRequest request;
  request.set_service(target.service);
  request.set_instance(target.instance);
  const auto now = Call(stub, &ControlService::Stub::GetService, request);
  if (!now.ok()) return now.status();
  const auto* listener = ListenerOf(now->service(), target.listener);
  if (listener == nullptr || !listener->has_faults()) return absl::OkStatus();
  return Error(absl::StatusCode::kAborted, "FAULTS_IN_USE",
               absl::StrCat(target.Name(), " has faults of somebody else's"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<LiveFaults>> LiveFaults::Set(Gateway& gateway, const Target& target,
                                                            const control::v1::Faults& faults) {
  auto stub = gateway.Stub<ControlService>();
  if (absl::Status unused = CheckUnused(*stub, target); !unused.ok()) return unused;
  std::unique_ptr<LiveFaults> live(new LiveFaults);
  control::v1::SetFaultsRequest request;
  request.set_service(target.service);
  request.set_listener(target.listener);
  request.set_instance(target.instance);
  *request.mutable_faults() = faults;
  const auto set = Call(*stub, &ControlService::Stub::SetFaults, request);
  // The listener may have them although the call has failed, as by its deadline.
  const bool unknown = absl::IsDeadlineExceeded(set.status()) || absl::IsUnavailable(set.status());
  if (set.ok() || unknown) {
    request.clear_faults();
    live->request_ = request;
    live->stub_ = std::move(stub);
  }
  if (!set.ok()) return set.status();
  const auto* listener = ListenerOf(set->service(), target.listener);
  live->faults_ = listener != nullptr && listener->has_faults() ? listener->faults() : faults;
  return live;
}

LiveFaults::~LiveFaults() {
  if (stub_) Call(*stub_, &ControlService::Stub::SetFaults, request_).IgnoreError();
}

}  // namespace rawgate::cli::lab
