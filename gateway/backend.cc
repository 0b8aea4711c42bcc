#include "gateway/backend.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gateway/backend_error.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/observe/event_log.h"
#include "runtime/rpc/proto_time.h"
#include "runtime/rpc/status.h"

namespace rawgate::gateway {
namespace {

using control::v1::Service;
using Replicas = std::vector<std::shared_ptr<Replica>>;

}  // namespace

Backend::Backend(const BackendAddress& address, const BackendOptions& options, Observer observer)
    : name_(address.name),
      target_text_(address.target),
      target_(ParseTarget(address.target).value()),
      credentials_(options.credentials != nullptr ? options.credentials
                                                  : grpc::InsecureChannelCredentials()),
      observer_(std::move(observer)),
      upstreams_(std::make_shared<UpstreamSet>(name_, Authority(), options.tls)),
      resolver_(target_.host.empty() ? nullptr
                                     : std::make_unique<AddressResolver>(
                                           target_.host, target_.port,
                                           [this](const auto& addresses) { OnFound(addresses); },
                                           options.resolver)) {
  for (const std::string& listed : target_.addresses) {
    entries_.emplace(listed, MakeReplica(listed));
  }
  upstreams_->SetAddresses(target_.addresses);
  // Until its name has been looked up.
  upstreams_->SetExpecting(resolver_ != nullptr);
}

Backend::~Backend() = default;

void Backend::Start() {
  for (const std::string& address : target_.addresses) {
    std::shared_ptr<Replica> replica;
    {
      absl::MutexLock lock(&mutex_);
      replica = entries_.at(address);
    }
    replica->Start();
  }
  if (resolver_ != nullptr) resolver_->Start();
}

void Backend::Stop() {
  // First of all: it makes replicas.
  if (resolver_ != nullptr) resolver_->Stop();
  Replicas all;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [address, replica] : entries_) all.push_back(replica);
  }
  for (const auto& replica : all) replica->Stop();
}

std::vector<std::shared_ptr<Replica>> Backend::replicas() const {
  Replicas replicas;
  absl::MutexLock lock(&mutex_);
  for (const auto& [address, replica] : entries_) {
    if (resolver_ != nullptr && !replica->answered()) continue;
    const std::string instance = replica->instance();
    const auto same = std::find_if(replicas.begin(), replicas.end(), [&](const auto& other) {
      return !instance.empty() && other->instance() == instance;
    });
    if (same != replicas.end()) {
      if ((*same)->reachable() || !replica->reachable()) continue;
      replicas.erase(same);
    }
    replicas.push_back(replica);
  }
  return replicas;
}

absl::StatusOr<Replicas> Backend::Select(const std::string& instance) const {
  Replicas all = replicas();
  if (instance.empty()) return all;
  for (const auto& replica : all) {
    if (replica->instance() == instance) return Replicas{replica};
  }
  return Error(absl::StatusCode::kNotFound, "INSTANCE_NOT_FOUND",
               absl::StrCat("service ", name_, " has no replica ", observe::Quoted(instance)));
}

std::vector<Service> Backend::rows() const {
  std::vector<Service> rows;
  for (const auto& replica : replicas()) rows.push_back(replica->service());
  if (rows.empty()) rows.push_back(AbsentRow());
  return rows;
}

Service Backend::AbsentRow() const {
  Service row;
  row.set_name(name_);
  row.set_address(target_text_);
  row.set_desired_state(control::v1::DESIRED_STATE_RUNNING);
  row.set_state(control::v1::SERVICE_STATE_UNREACHABLE);
  *row.mutable_state_time() = rpc::ToProto(made_);
  absl::MutexLock lock(&mutex_);
  row.set_last_error(lookup_error_);
  for (const auto& [address, replica] : entries_) {
    if (row.last_error().empty()) row.set_last_error(replica->service().last_error());
  }
  return row;
}

absl::Status Backend::AbsentError() const {
  return rpc::FromGrpc(StatusForClient(
      grpc::Status(grpc::StatusCode::UNAVAILABLE, AbsentRow().last_error()), name_));
}

bool Backend::AllAnswered() const {
  absl::MutexLock lock(&mutex_);
  return !entries_.empty() && std::all_of(entries_.begin(), entries_.end(), [](const auto& entry) {
    return entry.second->answered();
  });
}

std::string Backend::Authority() const {
  // Behind a name, all go by that.
  return target_.host.empty() ? "" : absl::StrCat(target_.host, ":", target_.port);
}

std::shared_ptr<Replica> Backend::MakeReplica(const std::string& address) {
  return std::make_shared<Replica>(
      Replica::Place{.name = name_, .address = address, .authority = Authority()}, credentials_,
      [this](const Service&) { OnReplicaChanged(); });
}

void Backend::OnReplicaChanged() {
  const std::vector<Service> now = rows();
  ShowServing(now);
  upstreams_->SetLeaving(std::all_of(now.begin(), now.end(), [](const Service& row) {
    return row.state() == control::v1::SERVICE_STATE_DRAINING;
  }));
  ShowUrgency();
  observer_(*this);
}

void Backend::ShowServing(const std::vector<Service>& rows) {
  std::set<std::string> serving;
  for (const Service& row : rows) {
    if (row.state() == control::v1::SERVICE_STATE_RUNNING) serving.insert(row.instance());
  }
  absl::MutexLock lock(&mutex_);
  const bool more =
      !std::includes(serving_.begin(), serving_.end(), serving.begin(), serving.end());
  if (more || serving.empty()) upstreams_->SetExpecting(more);
  serving_ = std::move(serving);
}

void Backend::ShowUrgency() {
  if (resolver_ == nullptr) return;
  const std::vector<Service> now = rows();
  resolver_->SetUrgent(std::any_of(now.begin(), now.end(), [](const Service& row) {
    return row.state() == control::v1::SERVICE_STATE_UNREACHABLE;
  }));
}

void Backend::OnFound(const AddressResolver::Addresses& addresses) {
  Replicas added;
  Replicas removed;
  std::string error;
  bool news = false;
  {
    absl::MutexLock lock(&mutex_);
    if (!addresses.ok()) {
      error = std::string(addresses.status().message());
    } else {
      if (addresses->empty()) error = absl::StrCat(target_.host, " has no address");
      Follow(std::set<std::string>(addresses->begin(), addresses->end()), added, removed);
    }
    // In the order of the changes, and so under the lock.
    std::vector<std::string> known;
    for (const auto& [address, replica] : entries_) known.push_back(address);
    upstreams_->SetAddresses(std::move(known));
    if (serving_.empty()) upstreams_->SetExpecting(false);
    news = std::exchange(lookup_error_, error) != error;
  }
  if (news && !error.empty()) spdlog::warn("{}: {}", name_, error);
  for (const auto& replica : removed) {
    if (replica->answered()) spdlog::info("{} at {} is gone", name_, replica->address());
    replica->Stop();
  }
  for (const auto& replica : added) replica->Start();
  ShowUrgency();
  if (!removed.empty() || news) observer_(*this);
}

void Backend::Follow(const std::set<std::string>& listed, Replicas& added, Replicas& removed) {
  bool any_answers = false;
  for (const auto& [address, replica] : entries_) any_answers |= replica->reachable();
  size_t kept = 0;
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto& [address, replica] = *entry;
    // The memory of past processes does not keep new ones out.
    const bool remembered =
        replica->answered() && !any_answers && listed.size() + kept < kReplicasMax;
    if (listed.contains(address) || replica->reachable() || remembered) {
      if (!listed.contains(address)) ++kept;
      ++entry;
    } else {
      removed.push_back(replica);
      entry = entries_.erase(entry);
    }
  }
  for (const std::string& address : listed) {
    if (entries_.contains(address) || entries_.size() >= kReplicasMax) continue;
    added.push_back(MakeReplica(address));
    entries_.emplace(address, added.back());
  }
}

}  // namespace rawgate::gateway
