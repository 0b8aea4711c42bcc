#include "gateway/backend_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/own_connections.h"
#include "runtime/base/instance.h"
#include "runtime/base/status.h"
#include "runtime/observe/event_log.h"

namespace rawgate::gateway {
namespace {

absl::Status BadBackends(absl::string_view what) {
  return FieldError("backends", "BAD_BACKENDS", absl::StrCat("--backends: ", what));
}

}  // namespace

absl::StatusOr<std::vector<BackendAddress>> ParseBackends(absl::string_view text) {
  std::vector<BackendAddress> addresses;
  for (const absl::string_view item : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(item, absl::MaxSplits('=', 1));
    if (parts.second.empty() && !addresses.empty()) {
      absl::StrAppend(&addresses.back().target, ",", item);
      continue;
    }
    if (parts.first.empty() || parts.second.empty()) {
      return BadBackends(absl::StrCat("\"", item, "\" is not NAME=TARGET"));
    }
    if (parts.first == OwnConnections::kService) {
      return BadBackends(absl::StrCat(parts.first, " is what the gateway calls itself"));
    }
    for (const BackendAddress& other : addresses) {
      if (other.name == parts.first)
        return BadBackends(absl::StrCat(parts.first, " is named twice"));
    }
    addresses.push_back({parts.first, parts.second});
  }
  if (addresses.empty()) return BadBackends("no service is named");
  for (const BackendAddress& address : addresses) {
    if (const auto target = ParseTarget(address.target); !target.ok()) return target.status();
  }
  return addresses;
}

BackendTable::BackendTable(const std::vector<BackendAddress>& addresses, BackendOptions options)
    : log_(RandomInstance()) {
  for (const BackendAddress& address : addresses) {
    backends_.push_back(std::make_unique<Backend>(
        address, options, [this](const Backend& backend) { OnChange(backend); }));
    log_.Set(address.name, backends_.back()->rows());
  }
  std::sort(backends_.begin(), backends_.end(),
            [](const auto& a, const auto& b) { return a->name() < b->name(); });
}

BackendTable::~BackendTable() { Stop(); }

void BackendTable::Start() {
  for (const auto& backend : backends_) backend->Start();
}

void BackendTable::Stop() {
  for (const auto& backend : backends_) backend->Stop();
}

absl::StatusOr<Backend*> BackendTable::Find(absl::string_view name) const {
  for (const auto& backend : backends_) {
    if (backend->name() == name) return backend.get();
  }
  return Error(absl::StatusCode::kNotFound, "SERVICE_NOT_FOUND",
               absl::StrCat("there is no service ", observe::Quoted(name), " behind this gateway"));
}

BackendTable::Subscription BackendTable::Subscribe(std::function<void()> changed) {
  absl::MutexLock lock(&mutex_);
  subscribers_.emplace(++last_subscription_, std::move(changed));
  return last_subscription_;
}

void BackendTable::Unsubscribe(Subscription subscription) {
  absl::MutexLock lock(&mutex_);
  subscribers_.erase(subscription);
}

void BackendTable::OnChange(const Backend& backend) {
  absl::MutexLock lock(&mutex_);
  log_.Set(backend.name(), backend.rows());
  for (const auto& [subscription, changed] : subscribers_) changed();
}

}  // namespace rawgate::gateway
