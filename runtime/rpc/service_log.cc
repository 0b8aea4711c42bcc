#include "runtime/rpc/service_log.h"

#include <utility>

namespace rawgate::rpc {

void ServiceLog::Append(control::v1::Service service) {
  std::vector<std::function<void()>> woken;
  {
    absl::MutexLock lock(&mutex_);
    newest_[service.name()] = service;
    changes_.push_back(std::move(service));
    if (changes_.size() > kChangesMax) changes_.pop_front();
    ++last_;
    for (Watcher* watcher : watchers_) {
      if (watcher->wake_) woken.push_back(std::exchange(watcher->wake_, nullptr));
    }
  }
  for (const auto& wake : woken) wake();
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
  for (const auto& [name, service] : newest_) *message.add_services() = service;
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
  if (!after_ || *after_ + 1 < first_kept) {
    message = log_.Snapshot();
    if (after_) message.set_skipped_changes(log_.last_ - *after_);
    after_ = log_.last_;
  } else {
    *message.add_services() = log_.changes_[++*after_ - first_kept];
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
