#include "gateway/shared_feeds.h"

#include <utility>
#include <vector>

#include <boost/asio/post.hpp>

#include "runtime/rpc/event_watch.h"

namespace rawgate::gateway {

using control::v1::EventPosition;
using control::v1::EventsLost;
using control::v1::WatchEventsRequest;
using control::v1::WatchEventsResponse;

namespace {

// Where a reader of `message` is after it, when it was at `position`.
void Follow(const WatchEventsResponse& message, EventPosition& position) {
  for (const EventPosition& told : message.positions()) position = told;
  for (const EventsLost& lost : message.lost()) {
    if (lost.instance() == position.instance())
      position.set_sequence(position.sequence() + lost.count());
  }
  if (!message.events().empty()) position.set_sequence(message.events().rbegin()->sequence());
}

}  // namespace

SharedFeeds::Ticket SharedFeeds::Join(const std::shared_ptr<Replica>& replica,
                                      WatchEventsRequest request, Reader reader) {
  const Place place{replica.get(), request.include_chunks(), request.sample_bytes()};
  std::shared_ptr<Stream>& open = open_[place];
  if (open == nullptr) open = Open(replica, place, std::move(request));
  const Ticket ticket = ++last_ticket_;
  const auto seat = std::make_shared<Seat>(Seat{.reader = std::move(reader)});
  open->readers.emplace(ticket, seat);
  joined_.emplace(ticket, open);
  boost::asio::post(pool_, [this, ticket, stream = open, seat] {
    if (joined_.contains(ticket)) Greet(*stream, *seat);
  });
  return ticket;
}

std::shared_ptr<SharedFeeds::Stream> SharedFeeds::Open(const std::shared_ptr<Replica>& replica,
                                                       const Place& place,
                                                       WatchEventsRequest request) {
  const auto stream = std::make_shared<Stream>(pool_);
  stream->replica = replica;
  stream->feed = std::make_unique<EventFeed>(
      *replica, std::move(request), Metadata(), pool_, streams_,
      EventFeed::Hooks{
          .on_message = [this, stream](WatchEventsResponse m) { OnMessage(stream, std::move(m)); },
          .on_end = [this, place,
                     stream](const grpc::Status& status) { OnEnd(place, stream, status); }});
  return stream;
}

void SharedFeeds::Leave(Ticket ticket) {
  const auto joined = joined_.find(ticket);
  if (joined == joined_.end()) return;
  const std::shared_ptr<Stream> stream = joined->second;
  joined_.erase(joined);
  stream->readers.erase(ticket);
  if (!stream->readers.empty() || stream->feed == nullptr) return;
  std::erase_if(open_, [&](const auto& entry) { return entry.second == stream; });
  stream->feed->Cancel();
}

void SharedFeeds::Greet(const Stream& stream, Seat& seat) {
  if (seat.greeted || stream.position.service().empty()) return;
  seat.greeted = true;
  WatchEventsResponse first;
  *first.add_positions() = stream.position;
  seat.reader.on_message(first);
}

void SharedFeeds::OnMessage(const std::shared_ptr<Stream>& stream, WatchEventsResponse message) {
  // What is lost lies before all events of a message.
  const bool joins = message.positions().empty() && message.lost().empty() &&
                     stream->gathered.events_size() + message.events_size() <=
                         static_cast<int>(rpc::EventWatch::kBatchMax);
  if (stream->gathers && joins) {
    stream->gathered.mutable_events()->MergeFrom(message.events());
  } else {
    Tell(*stream, std::exchange(stream->gathered, {}));
    Tell(*stream, message);
    if (!std::exchange(stream->gathers, true)) OnGathered(stream);
  }
  stream->feed->ReadOn();
}

void SharedFeeds::OnGathered(const std::shared_ptr<Stream>& stream) {
  stream->gather.expires_after(kGather);
  stream->gather.async_wait([this, stream](const boost::system::error_code&) {
    stream->gathers = !stream->gathered.events().empty() && stream->feed != nullptr;
    Tell(*stream, std::exchange(stream->gathered, {}));
    if (stream->gathers) OnGathered(stream);
  });
}

void SharedFeeds::Tell(Stream& stream, const WatchEventsResponse& message) {
  if (message.ByteSizeLong() == 0) return;
  // Readers leave meanwhile.
  const std::vector<std::pair<Ticket, std::shared_ptr<Seat>>> readers(stream.readers.begin(),
                                                                      stream.readers.end());
  for (const auto& [ticket, seat] : readers) {
    Greet(stream, *seat);
    if (!joined_.contains(ticket)) continue;
    seat->reader.on_message(message);
    // Its first message has the position.
    seat->greeted = true;
  }
  Follow(message, stream.position);
}

void SharedFeeds::OnEnd(const Place& place, const std::shared_ptr<Stream>& stream,
                        const grpc::Status& status) {
  if (const auto open = open_.find(place); open != open_.end() && open->second == stream)
    open_.erase(open);
  Tell(*stream, std::exchange(stream->gathered, {}));
  // It holds this stream.
  stream->feed = nullptr;
  const std::map<Ticket, std::shared_ptr<Seat>> readers = std::move(stream->readers);
  stream->readers.clear();
  for (const auto& [ticket, seat] : readers) {
    if (joined_.erase(ticket) > 0) seat->reader.on_end(status);
  }
}

}  // namespace rawgate::gateway
