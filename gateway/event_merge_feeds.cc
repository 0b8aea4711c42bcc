// The streams of EventMerge: own ones, shared ones, and the change from one to the other.
#include <utility>

#include "gateway/backend_error.h"
#include "gateway/event_merge.h"
#include "runtime/rpc/status.h"

namespace rawgate::gateway {

using control::v1::EventPosition;
using control::v1::WatchEventsRequest;
using control::v1::WatchEventsResponse;

namespace {

// What asking again would not change. Any other end is the replica's affair, and must not take the
// other replicas' events from the client. So is TOO_MANY_WATCHERS, as a replica's watchers are
// those of all gateways.
bool IsClientsAffair(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::INVALID_ARGUMENT ||
         status.error_code() == grpc::StatusCode::NOT_FOUND;
}

}  // namespace

void EventMerge::OpenFeed(uint64_t number, Source& source) {
  WatchEventsRequest request = request_;
  request.add_services(source.backend->name());
  source.instance = source.replica->instance();
  const bool resumes = positions_.AddTo(request, source.backend->name(), source.instance);
  source.resumed = resumes ? source.instance : "";
  if (resumes) {
    OpenOwn(number, source, std::move(request));
  } else {
    JoinShared(number, source);
  }
}

// ---- The client's own streams

void EventMerge::OpenOwn(uint64_t number, Source& source, WatchEventsRequest request) {
  source.place = places_.Take(*source.replica);
  if (!source.place && ++source.waits <= kWaitsMax) return TryAgainSoon();
  source.waits = 0;
  if (!source.place) {
    // What it misses is told as lost.
    source.resumed.clear();
    return JoinShared(number, source);
  }
  const uint64_t feed_number = ++last_number_;
  source.feed_number = feed_number;
  source.caught_up_at = kNever;
  source.feed = std::make_unique<EventFeed>(
      *source.replica, std::move(request), metadata_, pool_, feeds_,
      EventFeed::Hooks{
          .on_message =
              [self = shared_from_this(), number, feed_number](WatchEventsResponse message) {
                self->OnOwnMessage(number, feed_number, std::move(message));
              },
          .on_end =
              [self = shared_from_this(), number, feed_number](const grpc::Status& status) {
                self->OnOwnEnd(number, feed_number, status);
              }});
}

void EventMerge::LeaveOwn(Source& source) {
  source.feed->Cancel();
  left_[source.feed_number] = {std::move(source.feed), std::move(source.place)};
  source.resumed.clear();
}

void EventMerge::OnOwnMessage(uint64_t number, uint64_t feed_number, WatchEventsResponse message) {
  if (const auto left = left_.find(feed_number); left != left_.end())
    return left->second.feed->Cancel();
  Source& source = sources_.at(number);
  if (writer_ == nullptr || source.gone) return source.feed->Cancel();
  for (const EventPosition& position : message.positions())
    source.caught_up_at = position.sequence();
  Take(source, std::move(message));
}

void EventMerge::OnOwnEnd(uint64_t number, uint64_t feed_number, const grpc::Status& status) {
  if (left_.erase(feed_number) > 0) return;
  Source& source = sources_.at(number);
  // With it goes its share of this object, which the caller keeps alive.
  source.feed = nullptr;
  source.place = {};
  source.shared_at.reset();
  LeaveShared(source);
  OnEnd(number, status);
}

// ---- Shared ones

void EventMerge::JoinShared(uint64_t number, Source& source) {
  WatchEventsRequest request = request_;
  request.add_services(source.backend->name());
  source.shared = shared_.Join(
      source.replica, std::move(request),
      {.on_message = [self = shared_from_this(),
                      number](const auto& message) { self->OnSharedMessage(number, message); },
       .on_end = [self = shared_from_this(),
                  number](const auto& status) { self->OnSharedEnd(number, status); }});
}

void EventMerge::LeaveShared(Source& source) {
  if (source.shared != 0) shared_.Leave(std::exchange(source.shared, 0));
}

void EventMerge::OnSharedMessage(uint64_t number, const WatchEventsResponse& message) {
  Source& source = sources_.at(number);
  if (source.feed != nullptr) return OnSharedMessageBesides(source, message);
  const bool room =
      first_message_sent_ ? HasRoom() : source.awaited || early_messages_++ < kEarlyMax;
  if (room) return Take(source, source.shared_at ? NewPartOf(message, source) : message);
  LeaveShared(source);
  source.shared_at.reset();
  source.behind = true;
}

void EventMerge::OnSharedEnd(uint64_t number, const grpc::Status& status) {
  Source& source = sources_.at(number);
  source.shared = 0;
  source.shared_at.reset();
  if (source.feed == nullptr) return OnEnd(number, status);
  source.caught_up_at = At(source) + kLookAgainAfter;
}

// ---- From the one to the other

void EventMerge::ChangeOver(uint64_t number, Source& source) {
  if (source.gone || source.awaited) return;
  if (source.shared == 0) {
    if (At(source) >= source.caught_up_at) JoinShared(number, source);
  } else if (source.shared_at.has_value() && At(source) >= *source.shared_at) {
    LeaveOwn(source);
  }
}

void EventMerge::OnSharedMessageBesides(Source& source, const WatchEventsResponse& message) {
  for (const EventPosition& position : message.positions()) {
    source.shared_at = position.sequence();
    if (position.instance() == source.instance) continue;
    // The process that the own stream is of is gone, as that stream will say.
    source.shared_at.reset();
    source.caught_up_at = kNever;
    return LeaveShared(source);
  }
  if (!source.shared_at.has_value()) return;
  uint64_t begin = *source.shared_at;
  for (const auto& lost : message.lost()) begin += lost.count();
  if (At(source) >= begin && first_message_sent_ && HasRoom()) {
    LeaveOwn(source);
    return Take(source, NewPartOf(message, source));
  }
  source.shared_at = message.events().empty() ? begin : message.events().rbegin()->sequence();
}

WatchEventsResponse EventMerge::NewPartOf(const WatchEventsResponse& message, Source& source) {
  const uint64_t at = At(source);
  uint64_t begin = *source.shared_at;
  for (const auto& lost : message.lost()) begin += lost.count();
  WatchEventsResponse part;
  if (begin > at) {
    *part.add_lost() = message.lost(0);
    part.mutable_lost(0)->set_count(begin - at);
  }
  for (const control::v1::Event& event : message.events()) {
    if (event.sequence() > at) *part.add_events() = event;
  }
  source.shared_at = message.events().empty() ? begin : message.events().rbegin()->sequence();
  if (*source.shared_at >= at) source.shared_at.reset();
  return part;
}

// ---- All

void EventMerge::Take(Source& source, WatchEventsResponse message) {
  positions_.Take(message, source.resumed);
  for (const EventPosition& position : message.positions()) source.instance = position.instance();
  // It goes on where it was: where the replica is now is not where the client is.
  if (std::exchange(source.behind, false) && source.instance == source.resumed)
    message.clear_positions();
  if (std::exchange(source.away, false)) Announce(source, true, "");
  if (message.ByteSizeLong() > 0) Send(std::move(message));
  source.awaited = false;
  SendFirstMessageIfComplete();
  ReadOn();
}

void EventMerge::OnEnd(uint64_t number, const grpc::Status& status) {
  Source& source = sources_.at(number);
  source.behind = false;
  source.awaited = false;
  if (writer_ == nullptr || source.gone) {
    sources_.erase(number);
    return;
  }
  if (IsClientsAffair(status)) {
    return EndNow(rpc::FromGrpc(StatusForClient(status, source.backend->name())));
  }
  if (!std::exchange(source.away, true)) Announce(source, false, status.error_message());
  SendFirstMessageIfComplete();
  // Its state follows shortly, and when it is reachable again that is a change: see
  // OnBackendsChanged(). One that is so already (it dropped the stream only) may have told its
  // change before this.
  if (source.replica->watchable()) TryAgainSoon();
}

void EventMerge::TryAgainSoon() {
  if (std::exchange(trying_again_, true)) return;
  retry_timer_.expires_after(Replica::kRetryInterval);
  retry_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    self->trying_again_ = false;
    if (!error) self->OnBackendsChanged();
  });
}

}  // namespace rawgate::gateway
