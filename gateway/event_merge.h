// One client's WatchEvents: the streams of all replicas of the selected backends joined into one.
//
// Those who keep up read one stream of each replica together. Little is queued here: a client
// whose stream is full leaves that one, and once there is room again reads streams of its own from
// where it was, as do those who resume. When such a one has caught up it changes over to the one
// that others read: for a while both are read, until what it has of its own reaches what the other
// tells next. Each replica then keeps up to its own log's size and says how much was lost, so a
// slow watcher slows nobody and learns the truth.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "absl/status/status.h"
#include "gateway/backend_table.h"
#include "gateway/event_feed.h"
#include "gateway/event_positions.h"
#include "gateway/feed_places.h"
#include "gateway/metadata.h"
#include "gateway/outstanding.h"
#include "gateway/shared_feeds.h"
#include "rawgate/control/v1/control_service.pb.h"
#include "runtime/rpc/stream_writer.h"

namespace rawgate::gateway {

// Shared by its owner and by what is under way for it. The public methods are thread-safe;
// everything else happens on the one thread of `pool`, which is why nothing here is locked.
class EventMerge : public std::enable_shared_from_this<EventMerge> {
 public:
  using Writer = rpc::StreamWriter<control::v1::WatchEventsResponse>;

  // `pool` has one thread; it, `table`, `shared`, and `places` outlive this object, and `backends`
  // are of `table`. `request` has been checked; `metadata` goes with it to the replicas where the
  // client has a stream of its own. These are counted by `feeds`: until the last has left,
  // something may still be posted to `pool`.
  EventMerge(const control::v1::WatchEventsRequest& request, Metadata metadata, BackendTable& table,
             std::vector<Backend*> backends, boost::asio::thread_pool& pool, Outstanding& feeds,
             SharedFeeds& shared, FeedPlaces& places);
  ~EventMerge();

  // The stream to give to gRPC. First of all and once; `on_done` is called after the stream's end.
  Writer* Open(std::function<void()> on_done);
  // Opens the replicas' streams. The first message, with the positions of all that are reachable,
  // follows when these have told them, at the latest after kPositionsWithin.
  void Start();
  // Finishes the stream, and those of the replicas. Any number of times.
  void End(absl::Status status);

 private:
  static constexpr std::chrono::seconds kPositionsWithin{1};
  // Messages of shared streams that the first message takes in: it must not become too large.
  static constexpr int kEarlyMax = 4;
  // Messages that wait for a client; then nothing is read, and no stream opened, for it. Besides,
  // there may be one for each replica that went meanwhile.
  static constexpr size_t kPendingMax = 4;
  // How often a stream of the client's own waits for a place, kRetryInterval each: about 5 s, and
  // then there is a gap instead.
  static constexpr int kWaitsMax = 25;
  // Events after which a stream of the client's own that found no shared one looks again.
  static constexpr uint64_t kLookAgainAfter = 1000;
  static constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();
  // A replica that is, or is to be, followed.
  struct Source {
    const Backend* backend;
    std::shared_ptr<Replica> replica;
    // The open stream, the client's own or a shared one; null and 0 while there is none. Both
    // during a change from the first to the second, and then the first is the one whose events are
    // sent.
    std::unique_ptr<EventFeed> feed = nullptr;
    FeedPlaces::Place place = {};
    uint64_t feed_number = 0;
    // How often there was no place.
    int waits = 0;
    SharedFeeds::Ticket shared = 0;
    // The client's own stream has caught up when it is here.
    uint64_t caught_up_at = kNever;
    // Where the shared stream is, once it has told that, during a change, and afterwards while the
    // client has what that is still to tell.
    std::optional<uint64_t> shared_at = {};
    // It has left a shared stream, or has come back; it is followed when the client has room.
    bool behind = false;
    // Which process the stream is, or was last, of.
    std::string instance = {};
    // The same, where the stream resumes.
    std::string resumed = {};
    // Its first message, or its failure, is still awaited.
    bool awaited = false;
    // It is not, or not any more, being followed, so the client is told when it is.
    bool away = true;
    // It is not among the backend's replicas any more, and goes with its stream.
    bool gone = false;

    bool followed() const { return feed != nullptr || shared != 0; }
  };
  // By numbers that streams know.
  using Sources = std::map<uint64_t, Source>;

  template <typename Step>
  void Post(Step step);

  void OpenFirstFeeds();
  void OpenFeed(uint64_t number, Source& source);
  // A stream of the client's own, if there is a place for it.
  void OpenOwn(uint64_t number, Source& source, control::v1::WatchEventsRequest request);
  void LeaveOwn(Source& source);
  void JoinShared(uint64_t number, Source& source);
  void LeaveShared(Source& source);
  // One step from the client's own stream to the shared one, where that can be done now.
  void ChangeOver(uint64_t number, Source& source);
  // Whatever is not followed and could be is tried again a little later.
  void TryAgainSoon();
  // Makes the sources follow the replicas, and opens the streams of those that have become
  // reachable.
  void OnBackendsChanged();
  void DropSourcesThatWent(const Backend& backend,
                           const std::vector<std::shared_ptr<Replica>>& replicas);
  void AddSources(const Backend& backend, const std::vector<std::shared_ptr<Replica>>& replicas);
  // Tells the client of processes that will not come back, once that is known.
  void TellLost(const Backend& backend, const std::vector<std::shared_ptr<Replica>>& replicas);
  void OnOwnMessage(uint64_t number, uint64_t feed_number,
                    control::v1::WatchEventsResponse message);
  void OnOwnEnd(uint64_t number, uint64_t feed_number, const grpc::Status& status);
  void OnSharedMessage(uint64_t number, const control::v1::WatchEventsResponse& message);
  // The same while the client's own stream is open.
  void OnSharedMessageBesides(Source& source, const control::v1::WatchEventsResponse& message);
  // What of a shared stream's message the client did not get from its own, which was ahead.
  control::v1::WatchEventsResponse NewPartOf(const control::v1::WatchEventsResponse& message,
                                             Source& source);
  void OnSharedEnd(uint64_t number, const grpc::Status& status);
  void Take(Source& source, control::v1::WatchEventsResponse message);
  // The replica is not followed any more.
  void OnEnd(uint64_t number, const grpc::Status& status);
  uint64_t At(const Source& source) const {
    return positions_.At(source.backend->name(), source.instance);
  }
  void EndNow(const absl::Status& status);

  void Announce(const Source& source, bool reachable, const std::string& detail);
  bool HasRoom() const { return pending_.size() < kPendingMax; }
  void OnWritten();
  // After the first message; before it, adds to it.
  void Send(control::v1::WatchEventsResponse message);
  // Once nothing is awaited.
  void SendFirstMessageIfComplete();
  // Lets those feeds read on that wait, and replaces those that were left, unless the client's
  // stream is full.
  void ReadOn();

  // But for `services` and `after`.
  control::v1::WatchEventsRequest request_;
  const Metadata metadata_;
  BackendTable& table_;
  const std::vector<Backend*> backends_;
  boost::asio::thread_pool& pool_;
  Outstanding& feeds_;
  SharedFeeds& shared_;
  FeedPlaces& places_;
  boost::asio::steady_timer positions_timer_;
  boost::asio::steady_timer retry_timer_;
  BackendTable::Subscription subscription_ = 0;
  // Null once the stream is finished.
  Writer* writer_ = nullptr;
  Sources sources_;
  uint64_t last_number_ = 0;
  // Own streams that have been left and not yet ended, by their numbers.
  struct LeftFeed {
    std::unique_ptr<EventFeed> feed;
    FeedPlaces::Place place;
  };
  std::map<uint64_t, LeftFeed> left_;
  bool trying_again_ = false;
  EventPositions positions_;
  // All that is reachable has had the time to say which process it is.
  bool settled_ = false;
  control::v1::WatchEventsResponse first_message_;
  bool first_message_sent_ = false;
  int early_messages_ = 0;
  // What is sent when what is being written has been: events gather meanwhile.
  std::deque<control::v1::WatchEventsResponse> pending_;
  bool writing_ = false;
};

}  // namespace rawgate::gateway
