#include "gateway/event_positions.h"

namespace rawgate::gateway {
namespace {

void AddLost(control::v1::WatchEventsResponse& message, const std::string& service,
             const std::string& instance, uint64_t count) {
  control::v1::EventsLost& lost = *message.add_lost();
  lost.set_service(service);
  lost.set_instance(instance);
  lost.set_count(count);
}

}  // namespace

bool EventPositions::AddTo(control::v1::WatchEventsRequest& request, const std::string& service,
                           const std::string& instance) const {
  const auto known = sequences_.find({service, instance});
  if (known == sequences_.end()) return false;
  control::v1::EventPosition& position = *request.add_after();
  position.set_service(service);
  position.set_instance(instance);
  position.set_sequence(known->second);
  return true;
}

uint64_t EventPositions::At(const std::string& service, const std::string& instance) const {
  const auto known = sequences_.find({service, instance});
  return known == sequences_.end() ? 0 : known->second;
}

void EventPositions::Take(control::v1::WatchEventsResponse& message, const std::string& resumed) {
  for (const control::v1::EventsLost& lost : message.lost()) {
    const auto known = sequences_.find({lost.service(), lost.instance()});
    if (known == sequences_.end()) continue;
    if (lost.count() == 0) {
      sequences_.erase(known);  // the process is another one now
    } else {
      known->second += lost.count();
    }
  }
  for (const control::v1::EventPosition& position : message.positions()) {
    const auto [known, is_new] =
        sequences_.try_emplace({position.service(), position.instance()}, position.sequence());
    // What lies between is what it sends next.
    if (is_new || position.instance() == resumed) continue;
    // It turned out to be this process only once the stream was open.
    if (position.sequence() > known->second) {
      AddLost(message, position.service(), position.instance(),
              position.sequence() - known->second);
    }
    known->second = position.sequence();
  }
  for (const control::v1::Event& event : message.events()) {
    if (event.sequence() != 0) sequences_[{event.service(), event.instance()}] = event.sequence();
  }
}

void EventPositions::Forget(const std::string& service, const std::set<std::string>& present,
                            control::v1::WatchEventsResponse& message) {
  const auto begin = sequences_.lower_bound({service, ""});
  for (auto entry = begin; entry != sequences_.end() && entry->first.first == service;) {
    if (present.contains(entry->first.second)) {
      ++entry;
    } else {
      AddLost(message, service, entry->first.second, 0);
      entry = sequences_.erase(entry);
    }
  }
}

}  // namespace rawgate::gateway
