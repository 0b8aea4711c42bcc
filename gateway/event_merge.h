// One client's WatchEvents: the streams of all selected backends joined into one.
//
// Nothing is queued here. While the client's stream is full no backend is read; each then keeps up
// to its own log's size and says how much was lost, so a slow watcher slows nobody and learns the
// truth.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "absl/status/status.h"
#include "gateway/backend_table.h"
#include "gateway/metadata.h"
#include "gateway/outstanding.h"
#include "rawgate/control/v1/control_service.pb.h"
#include "runtime/rpc/stream_writer.h"

namespace rawgate::gateway {

// Shared by its owner and by what is under way for it. The public methods are thread-safe;
// everything else happens on the one thread of `pool`, which is why nothing here is locked.
class EventMerge : public std::enable_shared_from_this<EventMerge> {
 public:
  using Writer = rpc::StreamWriter<control::v1::WatchEventsResponse>;

  // `pool` has one thread; it and `table` outlive this object, and `backends` are of `table`.
  // `request` has been checked; `metadata` goes with it to the backends, whose streams are counted
  // by `feeds`: until the last has left, something may still be posted to `pool`.
  EventMerge(control::v1::WatchEventsRequest request, Metadata metadata, BackendTable& table,
             std::vector<Backend*> backends, boost::asio::thread_pool& pool, Outstanding& feeds);
  ~EventMerge();

  // The stream to give to gRPC. First of all and once; `on_done` is called after the stream's end.
  Writer* Open(std::function<void()> on_done);
  // Opens the backends' streams. The first message, with the positions of all that are reachable,
  // follows when these have told them, at the latest after kPositionsWithin.
  void Start();
  // Finishes the stream, and those of the backends. Any number of times.
  void End(absl::Status status);

 private:
  static constexpr std::chrono::seconds kPositionsWithin{1};
  class Feed;
  struct Source {
    Backend* backend;
    // The open stream; null while there is none.
    std::unique_ptr<Feed> feed;
    // Where to resume.
    control::v1::EventPosition position;
    // Its first message, or its failure, is still awaited.
    bool awaited = false;
    // It is not, or not any more, being followed, so the client is told when it is.
    bool away = true;
  };

  template <typename Step>
  void Post(Step step);

  void OpenFirstFeeds();
  void OpenFeed(size_t index);
  // Opens the streams of backends that have become reachable.
  void OnBackendsChanged();
  void OnMessage(size_t index, control::v1::WatchEventsResponse message);
  void OnFeedEnd(size_t index, const grpc::Status& status);
  void EndNow(const absl::Status& status);

  void Announce(const Source& source, bool reachable, const std::string& detail);
  // After the first message; before it, adds to it.
  void Send(control::v1::WatchEventsResponse message);
  // Once nothing is awaited.
  void SendFirstMessageIfComplete();
  // Lets those feeds read on that wait, unless the client's stream is full.
  void ReadOn();

  const control::v1::WatchEventsRequest request_;
  const Metadata metadata_;
  BackendTable& table_;
  boost::asio::thread_pool& pool_;
  Outstanding& feeds_;
  boost::asio::steady_timer positions_timer_;
  boost::asio::steady_timer retry_timer_;
  BackendTable::Subscription subscription_ = 0;
  // Null once the stream is finished.
  Writer* writer_ = nullptr;
  std::vector<Source> sources_;
  control::v1::WatchEventsResponse first_message_;
  bool first_message_sent_ = false;
  // The client's stream has room.
  bool room_ = true;
};

}  // namespace rawgate::gateway
