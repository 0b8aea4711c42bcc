#include "gateway/event_merge.h"

#include <algorithm>
#include <set>
#include <utility>

#include <boost/asio/post.hpp>

#include "absl/time/clock.h"
#include "runtime/base/status.h"
#include "runtime/rpc/event_watch.h"
#include "runtime/rpc/proto_time.h"
#include "runtime/rpc/status.h"

namespace rawgate::gateway {

using control::v1::EventPosition;
using control::v1::WatchEventsRequest;
using control::v1::WatchEventsResponse;

namespace {

// What asking again would not change. Any other end is the replica's affair, and must not take the
// other replicas' events from the client.
bool IsClientsAffair(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::INVALID_ARGUMENT ||
         status.error_code() == grpc::StatusCode::NOT_FOUND ||
         ReasonOf(rpc::FromGrpc(status)) == "TOO_MANY_WATCHERS";
}

// Whether the events of `message` may be sent with those before them. What is lost lies before all
// events of a message.
bool MayJoin(const WatchEventsResponse& message, const WatchEventsResponse& before) {
  return message.positions().empty() && message.lost().empty() &&
         before.events_size() + message.events_size() <=
             static_cast<int>(rpc::EventWatch::kBatchMax);
}

}  // namespace

template <typename Step>
void EventMerge::Post(Step step) {
  boost::asio::post(pool_,
                    [self = shared_from_this(), step = std::move(step)]() mutable { step(*self); });
}

EventMerge::EventMerge(WatchEventsRequest request, Metadata metadata, BackendTable& table,
                       std::vector<Backend*> backends, boost::asio::thread_pool& pool,
                       Outstanding& feeds, SharedFeeds& shared)
    : request_(std::move(request)),
      metadata_(std::move(metadata)),
      table_(table),
      backends_(std::move(backends)),
      pool_(pool),
      feeds_(feeds),
      shared_(shared),
      positions_timer_(pool),
      retry_timer_(pool),
      positions_(request_.after()) {
  request_.clear_services();
  request_.clear_after();
}

EventMerge::~EventMerge() = default;

EventMerge::Writer* EventMerge::Open(std::function<void()> on_done) {
  const auto self = shared_from_this();
  writer_ =
      new Writer({.on_room = [self] { self->Post([](EventMerge& merge) { merge.OnWritten(); }); },
                  .on_cancel = [self] { self->End(absl::CancelledError("cancelled")); },
                  .on_done = std::move(on_done)},
                 0);
  return writer_;
}

void EventMerge::Start() {
  Post([](EventMerge& merge) { merge.OpenFirstFeeds(); });
}

void EventMerge::End(absl::Status status) {
  Post([status = std::move(status)](EventMerge& merge) { merge.EndNow(status); });
}

void EventMerge::OpenFirstFeeds() {
  if (writer_ == nullptr) return;
  subscription_ = table_.Subscribe([weak = weak_from_this()] {
    if (const auto self = weak.lock())
      self->Post([](EventMerge& merge) { merge.OnBackendsChanged(); });
  });
  OnBackendsChanged();
  for (auto& [number, source] : sources_) {
    if (!source.followed()) continue;
    source.awaited = true;
    source.away = false;
  }
  positions_timer_.expires_after(kPositionsWithin);
  positions_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (error) return;
    for (auto& [number, source] : self->sources_) source.awaited = false;
    self->settled_ = true;
    self->SendFirstMessageIfComplete();
    self->OnBackendsChanged();
  });
  SendFirstMessageIfComplete();
}

void EventMerge::OnBackendsChanged() {
  if (writer_ == nullptr) return;
  for (const Backend* backend : backends_) {
    const std::vector<std::shared_ptr<Replica>> replicas = backend->replicas();
    DropSourcesThatWent(*backend, replicas);
    AddSources(*backend, replicas);
    TellLost(*backend, replicas);
  }
  for (auto& [number, source] : sources_) {
    if (source.followed()) continue;
    if (source.replica->watchable()) {
      source.behind |= first_message_sent_ && !HasRoom();
      if (!first_message_sent_ || HasRoom()) OpenFeed(number, source);
    } else if (std::exchange(source.behind, false) && !std::exchange(source.away, true)) {
      Announce(source, false, source.replica->service().last_error());
    }
  }
}

void EventMerge::DropSourcesThatWent(const Backend& backend,
                                     const std::vector<std::shared_ptr<Replica>>& replicas) {
  for (auto& [number, source] : sources_) {
    if (source.backend != &backend || source.gone) continue;
    if (std::count(replicas.begin(), replicas.end(), source.replica) > 0) continue;
    source.gone = true;
    source.awaited = false;
    if (!std::exchange(source.away, true)) Announce(source, false, "its address is gone");
    LeaveShared(source);
    if (source.feed != nullptr) source.feed->Cancel();
  }
  std::erase_if(sources_,
                [](const auto& entry) { return entry.second.gone && !entry.second.followed(); });
}

void EventMerge::AddSources(const Backend& backend,
                            const std::vector<std::shared_ptr<Replica>>& replicas) {
  for (const auto& replica : replicas) {
    const bool known = std::any_of(sources_.begin(), sources_.end(), [&](const auto& entry) {
      return entry.second.replica == replica && !entry.second.gone;
    });
    if (known) continue;
    sources_.emplace(++last_number_,
                     Source{.backend = &backend, .replica = replica, .feed = nullptr});
  }
}

void EventMerge::TellLost(const Backend& backend,
                          const std::vector<std::shared_ptr<Replica>>& replicas) {
  // While a process may still turn out to be one of those, it is not known.
  if (replicas.empty() || !(settled_ || backend.AllAnswered())) return;
  std::set<std::string> present;
  for (const auto& replica : replicas) {
    if (!replica->answered()) return;
    present.insert(replica->instance());
  }
  // A stream may know of a new process before its replica does.
  for (const auto& [number, source] : sources_) {
    if (source.backend == &backend && source.followed() && !source.gone)
      present.insert(source.instance);
  }
  WatchEventsResponse message;
  positions_.Forget(backend.name(), present, message);
  if (!message.lost().empty()) Send(std::move(message));
}

void EventMerge::OpenFeed(uint64_t number, Source& source) {
  WatchEventsRequest request = request_;
  request.add_services(source.backend->name());
  source.instance = source.replica->instance();
  const bool resumes = positions_.AddTo(request, source.backend->name(), source.instance);
  source.resumed = resumes ? source.instance : "";
  if (!resumes) return JoinShared(number, source, std::move(request));
  source.feed = std::make_unique<EventFeed>(
      *source.replica, std::move(request), metadata_, pool_, feeds_,
      EventFeed::Hooks{
          .on_message =
              [self = shared_from_this(), number](WatchEventsResponse message) {
                self->OnMessage(number, std::move(message));
              },
          .on_end = [self = shared_from_this(),
                     number](const grpc::Status& status) { self->OnFeedEnd(number, status); }});
}

void EventMerge::JoinShared(uint64_t number, Source& source, WatchEventsRequest request) {
  source.shared = shared_.Join(
      source.replica, std::move(request),
      {.on_message = [self = shared_from_this(),
                      number](const auto& message) { self->OnSharedMessage(number, message); },
       .on_end = [self = shared_from_this(),
                  number](const auto& status) { self->OnFeedEnd(number, status); }});
}

void EventMerge::LeaveShared(Source& source) {
  if (source.shared != 0) shared_.Leave(std::exchange(source.shared, 0));
}

void EventMerge::OnMessage(uint64_t number, WatchEventsResponse message) {
  Source& source = sources_.at(number);
  if (writer_ == nullptr || source.gone) return source.feed->Cancel();
  Take(source, std::move(message));
}

void EventMerge::OnSharedMessage(uint64_t number, const WatchEventsResponse& message) {
  Source& source = sources_.at(number);
  const bool room =
      first_message_sent_ ? HasRoom() : source.awaited || early_messages_++ < kEarlyMax;
  if (room) return Take(source, message);
  LeaveShared(source);
  source.behind = true;
}

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

void EventMerge::OnFeedEnd(uint64_t number, const grpc::Status& status) {
  Source& source = sources_.at(number);
  // With it goes its share of this object, which the caller keeps alive.
  source.feed = nullptr;
  source.shared = 0;
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
  if (source.replica->watchable()) {
    retry_timer_.expires_after(Replica::kRetryInterval);
    retry_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error) self->OnBackendsChanged();
    });
  }
}

void EventMerge::EndNow(const absl::Status& status) {
  if (writer_ == nullptr) return;
  std::exchange(writer_, nullptr)->Finish(rpc::ToGrpc(status));
  if (subscription_ != 0) table_.Unsubscribe(subscription_);
  positions_timer_.cancel();
  retry_timer_.cancel();
  for (auto& [number, source] : sources_) LeaveShared(source);
  std::erase_if(sources_, [](const auto& entry) { return entry.second.feed == nullptr; });
  for (auto& [number, source] : sources_) source.feed->Cancel();
}

void EventMerge::Announce(const Source& source, bool reachable, const std::string& detail) {
  WatchEventsResponse message;
  control::v1::Event& event = *message.add_events();
  event.set_service(source.backend->name());
  event.set_instance(source.instance);
  *event.mutable_time() = rpc::ToProto(absl::Now());
  event.mutable_reachability_changed()->set_reachable(reachable);
  event.mutable_reachability_changed()->set_detail(detail);
  Send(std::move(message));
}

void EventMerge::Send(WatchEventsResponse message) {
  if (!first_message_sent_) return first_message_.MergeFrom(message);
  if (!writing_) {
    writing_ = !writer_->Write(std::move(message));
  } else if (!pending_.empty() && MayJoin(message, pending_.back())) {
    pending_.back().mutable_events()->MergeFrom(message.events());
  } else {
    pending_.push_back(std::move(message));
  }
}

void EventMerge::OnWritten() {
  if (writer_ == nullptr) return;
  writing_ = false;
  if (!pending_.empty()) {
    Send(std::move(pending_.front()));
    pending_.pop_front();
  }
  ReadOn();
}

void EventMerge::SendFirstMessageIfComplete() {
  if (first_message_sent_ || writer_ == nullptr) return;
  for (const auto& [number, source] : sources_) {
    if (source.awaited) return;
  }
  first_message_sent_ = true;
  Send(std::move(first_message_));
  ReadOn();
}

void EventMerge::ReadOn() {
  if (!first_message_sent_ || !HasRoom()) return;
  for (auto& [number, source] : sources_) {
    if (source.feed != nullptr) source.feed->ReadOn();
    if (source.behind && !source.followed() && source.replica->watchable())
      OpenFeed(number, source);
  }
}

}  // namespace rawgate::gateway
