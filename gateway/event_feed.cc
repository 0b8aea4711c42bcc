#include "gateway/event_feed.h"

#include <utility>

#include <boost/asio/post.hpp>

namespace rawgate::gateway {

using control::v1::WatchEventsRequest;
using control::v1::WatchEventsResponse;

EventFeed::EventFeed(Replica& replica, WatchEventsRequest request, const Metadata& metadata,
                     boost::asio::thread_pool& pool, Outstanding& streams, Hooks hooks)
    : pool_(pool),
      streams_(streams),
      hooks_(std::make_shared<const Hooks>(std::move(hooks))),
      request_(std::move(request)) {
  streams_.Enter();
  AddMetadata(metadata, context_);
  replica.control().async()->WatchEvents(&context_, &request_, this);
  // Reads come from the pool's thread.
  AddHold();
  StartRead(&message_);
  StartCall();
}

void EventFeed::ReadOn() {
  if (std::exchange(waiting_, false)) StartRead(&message_);
}

void EventFeed::Cancel() {
  context_.TryCancel();
  ReadOn();
}

void EventFeed::OnReadDone(bool ok) {
  if (!ok) return RemoveHold();  // OnDone() follows
  boost::asio::post(pool_, [this, hooks = hooks_, message = std::move(message_)]() mutable {
    waiting_ = true;
    hooks->on_message(std::move(message));
  });
}

void EventFeed::OnDone(const grpc::Status& status) {
  // This object is not sure to be there once its end is posted.
  Outstanding& streams = streams_;
  boost::asio::post(pool_, [hooks = hooks_, status] { hooks->on_end(status); });
  streams.Leave();
}

}  // namespace rawgate::gateway
