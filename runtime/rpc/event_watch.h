// One WatchEvents stream: where the events stand, then events in batches.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/thread_pool.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rawgate/control/v1/control_service.pb.h"
#include "runtime/net/service.h"
#include "runtime/observe/event_log.h"
#include "runtime/rpc/stream_writer.h"

namespace rawgate::rpc {

// Of WatchEventsRequest.after: a good many replicas, as whoever resumes has met them.
inline constexpr int kPositionsMax = 1024;
// Of EventPosition.instance in a request; a process's own has sixteen bytes.
inline constexpr size_t kInstanceBytesMax = 64;

// Moves a request out of gRPC, which keeps it for as long as the watch lasts, with whatever names
// and positions it was parsed into.
control::v1::WatchEventsRequest TakeRequest(const control::v1::WatchEventsRequest* request);

// What a request asks for beyond names of services. Errors: INVALID_ARGUMENT (SAMPLE_TOO_LARGE,
// BAD_POSITIONS).
absl::Status CheckWatchEvents(const control::v1::WatchEventsRequest& request);

// Shared by its owner and by what is under way for it. Everything private runs on the pool, which
// has one thread: making messages of events must not delay the loop thread that records them.
class EventWatch : public std::enable_shared_from_this<EventWatch> {
 public:
  using Writer = StreamWriter<control::v1::WatchEventsResponse>;

  // Events in one message: at most about 1 KiB each.
  static constexpr size_t kBatchMax = 256;

  // `request` was checked. `service` and `pool` outlive this object. Null: the log has too many
  // watchers.
  static std::shared_ptr<EventWatch> Make(const control::v1::WatchEventsRequest& request,
                                          net::Service& service, boost::asio::thread_pool& pool);

  // The stream to give to gRPC. First of all and once; `on_done` is called after the stream's end.
  Writer* Open(std::function<void()> on_done);
  // Sends the position and follows. Any thread.
  void Start();
  // Finishes the stream. Any thread, any number of times.
  void End(absl::Status status);

 private:
  EventWatch(const control::v1::WatchEventsRequest& request, net::Service& service,
             boost::asio::thread_pool& pool);

  using Step = void (EventWatch::*)();
  // Runs `step` on the pool.
  void Post(Step step);

  // Where to resume, from the request's positions of this service; -1 where it has none, and the
  // watch begins with what comes next. Positions of other instances are told as lost.
  int64_t ResumeAfter(const control::v1::WatchEventsRequest& request);
  void SendFirst();
  // Sends the next batch, or waits for something to send.
  void Advance();

  net::Service& service_;
  boost::asio::thread_pool& pool_;
  const bool include_chunks_;
  const size_t sample_bytes_;
  control::v1::WatchEventsResponse first_;
  // Null once the stream is finished.
  std::unique_ptr<observe::EventLog::Watcher> events_;
  Writer* writer_ = nullptr;
};

}  // namespace rawgate::rpc
