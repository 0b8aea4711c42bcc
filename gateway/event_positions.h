// How far one client's WatchEvents is with each process: where a stream that broke off goes on, and
// what the client is told of events that it will not get.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "rawgate/control/v1/control_service.pb.h"

namespace rawgate::gateway {

// One thread at a time. One entry for each position of the client's request, of which there are at
// most rpc::kPositionsMax, and one for each process that was met since and is not forgotten.
class EventPositions {
 public:
  // From WatchEventsRequest.after. Nobody asks for those of services that are not `watched`.
  template <typename Positions>
  EventPositions(const Positions& after, const std::set<std::string>& watched) {
    for (const control::v1::EventPosition& position : after) {
      if (watched.contains(position.service()))
        sequences_[{position.service(), position.instance()}] = position.sequence();
    }
  }

  // Adds to `request` where to resume the events of this process. False when that is not known: the
  // stream then begins with what comes next.
  bool AddTo(control::v1::WatchEventsRequest& request, const std::string& service,
             const std::string& instance) const;

  // The last event of this process; 0 where that is not known.
  uint64_t At(const std::string& service, const std::string& instance) const;

  // Takes what a process has sent, and adds to it what that skips. `resumed` is the instance that
  // AddTo() was asked for when the stream was opened, empty where it was not, or answered false.
  void Take(control::v1::WatchEventsResponse& message, const std::string& resumed);

  // Forgets the processes of `service` that are not `present`. Their events, from there on, are
  // added to `message` as lost.
  void Forget(const std::string& service, const std::set<std::string>& present,
              control::v1::WatchEventsResponse& message);

 private:
  // The last one's that was seen, or told as lost, by service and instance.
  std::map<std::pair<std::string, std::string>, uint64_t> sequences_;
};

}  // namespace rawgate::gateway
