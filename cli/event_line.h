// One event of ControlService.WatchEvents as one line for people.
#pragma once

#include <map>
#include <string>

#include "absl/time/time.h"
#include "rawgate/control/v1/control_service.pb.h"

namespace rawgate::cli {

// "14:03:21.123 echo/tcp      #17  chunk    10 bytes  \"helloworld\"", without a newline and safe
// for a terminal: local time, service and listener, connection where there is one, kind,
// particulars. Samples are cut so that the line fits into `columns` (0: no limit). `replica` tells
// which process of the service it was ("echo/tcp@3f9a1c2b"), where that is not empty.
std::string EventLine(const control::v1::Event& event, int columns,
                      const std::string& replica = {});

// Likewise for events that this watcher did not get.
std::string EventsLostLine(const control::v1::EventsLost& lost, absl::Time now,
                           const std::string& replica = {});

// Leaves out most of what is told of a transfer's progress: a service tells it for every megabyte,
// and the rest of what happens should still be seen.
class ProgressThinning {
 public:
  // True but for the progress of a transfer that had a line within the second before; its end
  // always has one.
  bool Shows(const control::v1::Event& event);

 private:
  // When each transfer had its last line.
  std::map<std::string, absl::Time> shown_;
};

}  // namespace rawgate::cli
