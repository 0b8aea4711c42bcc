// Streams of events that many clients' watches read together: one for each replica and each way to
// watch, however many clients there are.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "gateway/event_feed.h"
#include "gateway/outstanding.h"
#include "gateway/replica.h"
#include "rawgate/control/v1/control_service.pb.h"

namespace rawgate::gateway {

// Belongs to the one thread of `pool`. A stream is read without a pause: who cannot take a message
// when it comes leaves, and reads a stream of its own from where it was. What comes within kGather
// of a message is told together, or each event would be sent to each reader by itself.
class SharedFeeds {
 public:
  // What is opened carries no client's metadata. Both outlive this object.
  SharedFeeds(boost::asio::thread_pool& pool, Outstanding& streams)
      : pool_(pool), streams_(streams) {}
  SharedFeeds(const SharedFeeds&) = delete;
  SharedFeeds& operator=(const SharedFeeds&) = delete;

  struct Reader {
    // The first message has the position of what follows it, and never comes from within Join().
    std::function<void(const control::v1::WatchEventsResponse&)> on_message;
    // The last call, unless the reader leaves.
    std::function<void(const grpc::Status&)> on_end;
  };
  // Never 0.
  using Ticket = uint64_t;

  // Reads from now on the events of `replica` that `request` asks for: it names the service, and no
  // positions.
  Ticket Join(const std::shared_ptr<Replica>& replica, control::v1::WatchEventsRequest request,
              Reader reader);
  // No call of the reader comes any more. May come from within one.
  void Leave(Ticket ticket);

 private:
  struct Seat {
    const Reader reader;
    // It was told the position.
    bool greeted = false;
  };
  static constexpr std::chrono::milliseconds kGather{5};
  struct Stream {
    explicit Stream(boost::asio::thread_pool& pool) : gather(pool) {}

    std::shared_ptr<Replica> replica;
    std::unique_ptr<EventFeed> feed;
    // Of the last event that was told, or known to be lost; without a service before the first
    // message.
    control::v1::EventPosition position;
    std::map<Ticket, std::shared_ptr<Seat>> readers;
    // Events that are told when `gather` is over: at most kBatchMax, and none unless `gathers`.
    control::v1::WatchEventsResponse gathered;
    boost::asio::steady_timer gather;
    bool gathers = false;
  };
  struct Place {
    const Replica* replica;
    bool include_chunks;
    uint32_t sample_bytes;
    auto operator<=>(const Place&) const = default;
  };

  std::shared_ptr<Stream> Open(const std::shared_ptr<Replica>& replica, const Place& place,
                               control::v1::WatchEventsRequest request);
  // Once, and not before the stream has one.
  static void Greet(const Stream& stream, Seat& seat);
  void OnMessage(const std::shared_ptr<Stream>& stream, control::v1::WatchEventsResponse message);
  // Tells what has gathered, and goes on to gather if that was something.
  void OnGathered(const std::shared_ptr<Stream>& stream);
  void Tell(Stream& stream, const control::v1::WatchEventsResponse& message);
  void OnEnd(const Place& place, const std::shared_ptr<Stream>& stream, const grpc::Status& status);

  boost::asio::thread_pool& pool_;
  Outstanding& streams_;
  // Those that can be joined. A stream also belongs to the hooks of its feed.
  std::map<Place, std::shared_ptr<Stream>> open_;
  std::map<Ticket, std::shared_ptr<Stream>> joined_;
  Ticket last_ticket_ = 0;
};

}  // namespace rawgate::gateway
