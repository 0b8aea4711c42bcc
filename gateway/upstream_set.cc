#include "gateway/upstream_set.h"

#include <utility>

namespace rawgate::gateway {

void UpstreamSet::SetAddresses(std::vector<std::string> addresses) {
  absl::MutexLock lock(&mutex_);
  if (state_.addresses == addresses) return;
  state_.addresses = std::move(addresses);
  Tell();
}

void UpstreamSet::SetExpecting(bool expecting) {
  absl::MutexLock lock(&mutex_);
  state_.expecting = expecting;
  // Again also where it has been: that is another replica.
  Tell();
}

void UpstreamSet::SetLeaving(bool leaving) {
  absl::MutexLock lock(&mutex_);
  if (std::exchange(state_.leaving, leaving) != leaving) Tell();
}

int UpstreamSet::Subscribe(Subscriber subscriber) {
  absl::MutexLock lock(&mutex_);
  subscriber(state_);
  subscribers_.emplace(next_subscription_, std::move(subscriber));
  return next_subscription_++;
}

void UpstreamSet::Unsubscribe(int subscription) {
  absl::MutexLock lock(&mutex_);
  subscribers_.erase(subscription);
}

void UpstreamSet::Tell() {
  for (const auto& [number, subscriber] : subscribers_) subscriber(state_);
}

}  // namespace rawgate::gateway
