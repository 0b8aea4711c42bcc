// Brings `rawgate top` what it shows, while that is wanted and no more of it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/event_watch.h"
#include "cli/stoppable_call.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"

namespace rawgate::cli {

// Any thread. Its own threads are: one that asks for services and connections once each interval,
// and at once when something of the following says so; one that is told of changes of state; and,
// while events are wanted, one for those.
class TopFeed {
 public:
  struct Wishes {
    bool connections = false;
    // ListConnectionsRequest.
    std::string service = {};
    int page_size = 0;
    std::string page_token = {};

    // From the first time on that they are: what came while they were not is asked for later, and
    // what is not kept any more comes as EventsLost.
    bool events = false;

    bool operator==(const Wishes&) const = default;
  };

  // What came since the last time.
  struct News {
    absl::Time time;
    std::optional<control::v1::ListServicesResponse> services;
    std::optional<control::v1::ListConnectionsResponse> connections;
    // Of which page; empty when the token was not good any more and it is the first one.
    std::string page_token;
    std::deque<control::v1::WatchEventsResponse> events;
    // Why nothing comes, also in a line; OK and empty when it does.
    absl::Status status;
    std::string trouble;
  };

  // `changed` is called, from threads of this, when Take() has something. All outlive it.
  TopFeed(control::v1::ControlService::Stub& stub, std::string target, absl::Duration interval,
          std::function<void()> changed);
  ~TopFeed();
  TopFeed(const TopFeed&) = delete;
  TopFeed& operator=(const TopFeed&) = delete;

  // What differs from before is asked for at once.
  void Want(Wishes wishes);
  // The next sample is due now.
  void Poke();

  News Take();

 private:
  void Poll();
  // One sample. The error is that of the gateway.
  absl::Status Sample(const Wishes& wishes);
  absl::StatusOr<control::v1::ListConnectionsResponse> FetchPage(const Wishes& wishes,
                                                                 std::string& page_token);
  // Until the next sample is due. False when there will be none.
  bool AwaitNext(absl::Time last);
  void FollowStates();
  void SetEvents(bool wanted);
  bool TakeEvents(const control::v1::WatchEventsResponse& message);

  template <typename Request, typename Response>
  absl::StatusOr<Response> Ask(grpc::Status (control::v1::ControlService::Stub::*method)(
                                   grpc::ClientContext*, const Request&, Response*),
                               const Request& request);

  control::v1::ControlService::Stub& stub_;
  const std::string target_;
  const absl::Duration interval_;
  const std::function<void()> changed_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  bool due_ = false;
  Wishes wishes_;
  News news_;
  size_t events_kept_ = 0;

  StoppableCall poll_call_;
  StoppableCall states_call_;
  // With where the last EventWatch stood.
  control::v1::WatchEventsRequest events_request_;
  std::unique_ptr<EventWatch> events_;
  std::thread events_thread_;
  std::thread states_thread_;
  std::thread poll_thread_;
};

}  // namespace rawgate::cli
