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

// But for positions and names, which are not kept.
WatchEventsRequest Manner(const WatchEventsRequest& request) {
  WatchEventsRequest manner;
  manner.set_include_chunks(request.include_chunks());
  manner.set_sample_bytes(request.sample_bytes());
  return manner;
}

std::set<std::string> NamesOf(const std::vector<Backend*>& backends) {
  std::set<std::string> names;
  for (const Backend* backend : backends) names.insert(backend->name());
  return names;
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

EventMerge::EventMerge(const WatchEventsRequest& request, Metadata metadata, BackendTable& table,
                       std::vector<Backend*> backends, boost::asio::thread_pool& pool,
                       Outstanding& feeds, SharedFeeds& shared, FeedPlaces& places)
    : request_(Manner(request)),
      metadata_(std::move(metadata)),
      table_(table),
      backends_(std::move(backends)),
      pool_(pool),
      feeds_(feeds),
      shared_(shared),
      places_(places),
      positions_timer_(pool),
      retry_timer_(pool),
      positions_(request.after(), NamesOf(backends_)) {}

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
    if (source.feed != nullptr) {
      source.feed->ReadOn();
      ChangeOver(number, source);
    }
    if (source.behind && !source.followed() && source.replica->watchable() && !trying_again_)
      OpenFeed(number, source);
  }
}

}  // namespace rawgate::gateway
