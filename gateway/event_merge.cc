#include "gateway/event_merge.h"

#include <utility>

#include <boost/asio/post.hpp>

#include "absl/time/clock.h"
#include "runtime/base/status.h"
#include "runtime/rpc/proto_time.h"
#include "runtime/rpc/status.h"

namespace rawgate::gateway {

using control::v1::EventPosition;
using control::v1::WatchEventsRequest;
using control::v1::WatchEventsResponse;

namespace {

// What asking again would not change. Any other end is the backend's affair, and must not take the
// other backends' events from the client.
bool IsClientsAffair(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::INVALID_ARGUMENT ||
         status.error_code() == grpc::StatusCode::NOT_FOUND ||
         ReasonOf(rpc::FromGrpc(status)) == "TOO_MANY_WATCHERS";
}

}  // namespace

template <typename Step>
void EventMerge::Post(Step step) {
  boost::asio::post(pool_,
                    [self = shared_from_this(), step = std::move(step)]() mutable { step(*self); });
}

// One backend's WatchEvents stream. Its reactions only post to the merge, which owns it and reads
// on when it likes: hence the hold.
class EventMerge::Feed final : public grpc::ClientReadReactor<WatchEventsResponse> {
 public:
  Feed(std::shared_ptr<EventMerge> merge, size_t index, Backend& backend,
       WatchEventsRequest request)
      : merge_(std::move(merge)), index_(index), request_(std::move(request)) {
    merge_->feeds_.Enter();
    AddMetadata(merge_->metadata_, context_);
    backend.control().async()->WatchEvents(&context_, &request_, this);
    AddHold();
    StartRead(&message_);
    StartCall();
  }

  // Below: the merge's thread.
  void ReadOn() {
    if (std::exchange(waiting_, false)) StartRead(&message_);
  }
  // The message was taken; ReadOn() will come.
  void Wait() { waiting_ = true; }
  // OnFeedEnd() follows.
  void Cancel() {
    context_.TryCancel();
    ReadOn();
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return RemoveHold();  // OnDone() follows
    merge_->Post([index = index_, message = std::move(message_)](EventMerge& merge) mutable {
      merge.OnMessage(index, std::move(message));
    });
  }
  void OnDone(const grpc::Status& status) override {
    // Neither this object nor the merge is sure to be there once it is posted.
    Outstanding& feeds = merge_->feeds_;
    merge_->Post([index = index_, status](EventMerge& merge) { merge.OnFeedEnd(index, status); });
    feeds.Leave();
  }

  // Its owner, which must live until OnDone().
  const std::shared_ptr<EventMerge> merge_;
  const size_t index_;
  grpc::ClientContext context_;
  const WatchEventsRequest request_;
  WatchEventsResponse message_;
  bool waiting_ = false;
};

EventMerge::EventMerge(WatchEventsRequest request, Metadata metadata, BackendTable& table,
                       std::vector<Backend*> backends, boost::asio::thread_pool& pool,
                       Outstanding& feeds)
    : request_(std::move(request)),
      metadata_(std::move(metadata)),
      table_(table),
      pool_(pool),
      feeds_(feeds),
      positions_timer_(pool),
      retry_timer_(pool) {
  for (Backend* backend : backends) {
    sources_.push_back({.backend = backend, .feed = nullptr, .position = {}});
    for (const EventPosition& position : request_.after()) {
      if (position.service() == backend->name()) sources_.back().position = position;
    }
  }
}

EventMerge::~EventMerge() = default;

EventMerge::Writer* EventMerge::Open(std::function<void()> on_done) {
  const auto self = shared_from_this();
  writer_ = new Writer({.on_room =
                            [self] {
                              self->Post([](EventMerge& merge) {
                                merge.room_ = true;
                                merge.ReadOn();
                              });
                            },
                        .on_cancel = [self] { self->End(absl::CancelledError("cancelled")); },
                        .on_done = std::move(on_done)});
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
  for (size_t i = 0; i < sources_.size(); ++i) {
    if (!sources_[i].backend->watchable()) continue;
    sources_[i].awaited = true;
    sources_[i].away = false;
    OpenFeed(i);
  }
  positions_timer_.expires_after(kPositionsWithin);
  positions_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (error) return;
    for (Source& source : self->sources_) source.awaited = false;
    self->SendFirstMessageIfComplete();
  });
  SendFirstMessageIfComplete();
}

void EventMerge::OpenFeed(size_t index) {
  Source& source = sources_[index];
  WatchEventsRequest request = request_;
  request.clear_services();
  request.add_services(source.backend->name());
  request.clear_after();
  if (!source.position.instance().empty()) *request.add_after() = source.position;
  source.feed =
      std::make_unique<Feed>(shared_from_this(), index, *source.backend, std::move(request));
}

void EventMerge::OnBackendsChanged() {
  if (writer_ == nullptr) return;
  for (size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i].feed == nullptr && sources_[i].backend->watchable()) OpenFeed(i);
  }
}

void EventMerge::OnMessage(size_t index, WatchEventsResponse message) {
  Source& source = sources_[index];
  source.feed->Wait();
  if (writer_ == nullptr) return source.feed->Cancel();
  if (std::exchange(source.away, false)) Announce(source, true, "");
  for (const EventPosition& position : message.positions()) source.position = position;
  if (!message.events().empty()) {
    const control::v1::Event& last = *message.events().rbegin();
    source.position.set_service(last.service());
    source.position.set_instance(last.instance());
    source.position.set_sequence(last.sequence());
  }
  Send(std::move(message));
  source.awaited = false;
  SendFirstMessageIfComplete();
  ReadOn();
}

void EventMerge::OnFeedEnd(size_t index, const grpc::Status& status) {
  Source& source = sources_[index];
  // With it goes its share of this object, which the caller keeps alive.
  source.feed = nullptr;
  source.awaited = false;
  if (writer_ == nullptr) return;
  if (IsClientsAffair(status)) {
    return EndNow(rpc::FromGrpc(StatusForClient(status, source.backend->name())));
  }
  if (!std::exchange(source.away, true)) Announce(source, false, status.error_message());
  SendFirstMessageIfComplete();
  // Its state follows shortly, and when it is reachable again that is a change: see
  // OnBackendsChanged(). One that is so already (it dropped the stream only) may have told its
  // change before this.
  if (source.backend->watchable()) {
    retry_timer_.expires_after(Backend::kRetryInterval);
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
  for (Source& source : sources_) {
    if (source.feed != nullptr) source.feed->Cancel();
  }
}

void EventMerge::Announce(const Source& source, bool reachable, const std::string& detail) {
  WatchEventsResponse message;
  control::v1::Event& event = *message.add_events();
  event.set_service(source.backend->name());
  event.set_instance(source.position.instance());
  *event.mutable_time() = rpc::ToProto(absl::Now());
  event.mutable_reachability_changed()->set_reachable(reachable);
  event.mutable_reachability_changed()->set_detail(detail);
  Send(std::move(message));
}

void EventMerge::Send(WatchEventsResponse message) {
  if (!first_message_sent_) return first_message_.MergeFrom(message);
  if (!writer_->Write(std::move(message))) room_ = false;
}

void EventMerge::SendFirstMessageIfComplete() {
  if (first_message_sent_ || writer_ == nullptr) return;
  for (const Source& source : sources_) {
    if (source.awaited) return;
  }
  first_message_sent_ = true;
  Send(std::move(first_message_));
  ReadOn();
}

void EventMerge::ReadOn() {
  if (!first_message_sent_ || !room_) return;
  for (Source& source : sources_) {
    if (source.feed != nullptr) source.feed->ReadOn();
  }
}

}  // namespace rawgate::gateway
