// Follows what happens in services, also when the gateway goes and comes back.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "cli/stoppable_call.h"
#include "cli/transfer_retry.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"

namespace rawgate::cli {

// Run() has a thread of its own, from which what it was given is called; Stop() is for any.
class EventWatch {
 public:
  struct Callbacks {
    // What has come. False: that was enough.
    std::function<bool(const control::v1::WatchEventsResponse& message)> take;
    // The connection broke, for this reason; once, however often it is then tried in vain.
    std::function<void(const absl::Status& why)> lost;
    // It stands again. Called before `take` is with the first message.
    std::function<void()> resumed;
  };

  // `retries` is how often in a row it is tried to connect again.
  // `stub` outlives this.
  EventWatch(control::v1::ControlService::Stub& stub, control::v1::WatchEventsRequest request,
             int retries, Callbacks callbacks);

  // When the connection breaks, connects again after 0.2 s to 1 s, and goes on behind the last
  // event of each process: what cannot be had any more comes as EventsLost. Returns OK when `take`
  // had enough; CANCELLED after Stop(); else what ended the watch when trying again is in vain.
  absl::Status Run();

  void Stop() { call_.Stop(); }

  // What goes on behind the last event of each process. Not while Run() runs.
  control::v1::WatchEventsRequest Request() const;

 private:
  absl::Status Follow(RetryPacer& pacer);
  void Remember(const control::v1::WatchEventsResponse& message);

  control::v1::ControlService::Stub& stub_;
  control::v1::WatchEventsRequest request_;
  const int retries_;
  const Callbacks callbacks_;
  StoppableCall call_;
  // Run()'s own.
  bool had_enough_ = false;
  // Something came, ever.
  bool began_ = false;
  // It was said that the connection is lost.
  bool is_lost_ = false;
  // The last event of each instance, by service.
  std::map<std::pair<std::string, std::string>, uint64_t> positions_;
};

}  // namespace rawgate::cli
