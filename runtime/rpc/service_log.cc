#include "runtime/rpc/service_log.h"

#include <algorithm>
#include <utility>

#include "google/protobuf/util/message_differencer.h"

namespace rawgate::rpc {

void ServiceLog::Append(control::v1::Service service) {
  std::vector<std::function<void()>> woken;
  {
    absl::MutexLock lock(&mutex_);
    newest_[{service.name(), service.address()}] = service;
    Add(std::move(service));
    woken = TakeWakes();
  }
  for (const auto& wake : woken) wake();
}

void ServiceLog::Set(absl::string_view name, std::vector<control::v1::Service> rows) {
  std::vector<std::function<void()>> woken;
  {
    absl::MutexLock lock(&mutex_);
    const size_t gone = std::erase_if(newest_, [&](const auto& entry) {
      return entry.first.first == name &&
             std::none_of(rows.begin(), rows.end(), [&](const control::v1::Service& row) {
               return row.address() == entry.first.second;
             });
    });
    for (control::v1::Service& row : rows) {
      control::v1::Service& newest = newest_[{row.name(), row.address()}];
      if (google::protobuf::util::MessageDifferencer::Equals(newest, row)) continue;
      newest = row;
      if (gone == 0) Add(std::move(row));
    }
    if (gone > 0) Add(std::nullopt);
    woken = TakeWakes();
  }
  for (const auto& wake : woken) wake();
}

void ServiceLog::Add(std::optional<control::v1::Service> change) {
  changes_.push_back(std::move(change));
  if (changes_.size() > kChangesMax) changes_.pop_front();
  ++last_;
}

std::vector<std::function<void()>> ServiceLog::TakeWakes() {
  std::vector<std::function<void()>> woken;
  for (Watcher* watcher : watchers_) {
    if (watcher->wake_ && watcher->HasNext())
      woken.push_back(std::exchange(watcher->wake_, nullptr));
  }
  return woken;
}

std::unique_ptr<ServiceLog::Watcher> ServiceLog::Watch(
    const control::v1::WatchServicesRequest& request) {
  absl::MutexLock lock(&mutex_);
  std::optional<uint64_t> after;
  // A number that has not come yet cannot be of this instance, whatever the request says.
  if (request.instance() == instance_ && request.after_sequence() <= last_)
    after = request.after_sequence();
  std::unique_ptr<Watcher> watcher(new Watcher(*this, after));
  watchers_.push_back(watcher.get());
  return watcher;
}

control::v1::WatchServicesResponse ServiceLog::Snapshot() const {
  control::v1::WatchServicesResponse message;
  for (const auto& [key, service] : newest_) *message.add_services() = service;
  message.set_snapshot(true);
  return message;
}

ServiceLog::Watcher::~Watcher() {
  absl::MutexLock lock(&log_.mutex_);
  std::erase(log_.watchers_, this);
}

std::optional<control::v1::WatchServicesResponse> ServiceLog::Watcher::Take() {
  absl::MutexLock lock(&log_.mutex_);
  if (!HasNext()) return std::nullopt;
  control::v1::WatchServicesResponse message;
  const uint64_t first_kept = log_.last_ - log_.changes_.size() + 1;
  const bool kept = after_ && *after_ + 1 >= first_kept;
  if (const auto* next = kept ? &log_.changes_[*after_ + 1 - first_kept] : nullptr; next && *next) {
    *message.add_services() = **next;
    ++*after_;
  } else {
    message = log_.Snapshot();
    // The change that a snapshot is for is told by it.
    if (after_) message.set_skipped_changes(log_.last_ - *after_ - (kept ? 1 : 0));
    after_ = log_.last_;
  }
  message.set_sequence(*after_);
  message.set_instance(log_.instance_);
  return message;
}

void ServiceLog::Watcher::NotifyOnce(std::function<void()> wake) {
  {
    absl::MutexLock lock(&log_.mutex_);
    if (!HasNext()) {
      wake_ = std::move(wake);
      return;
    }
  }
  wake();
}

}  // namespace rawgate::rpc
