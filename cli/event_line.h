// One event of ControlService.WatchEvents as one line, for people or for programs.
#pragma once

#include <map>
#include <string>

#include "absl/time/time.h"
#include "rawgate/control/v1/control_service.pb.h"

namespace rawgate::cli {

// What lines for people are made for.
struct EventPaper {
  // Samples are cut so that lines fit; 0: no limit.
  int columns = 0;
  // The kind has the colour of what it means.
  bool colored = false;
  // Samples are rows of hexadecimal digits (hex_rows.h) below the line, else text at its end.
  bool hex = false;
};

// "14:03:21.123 echo/tcp      #17  chunk    10 bytes  \"helloworld\"", without a newline and safe
// for a terminal: local time, service and listener, connection where there is one, kind
// (event_kind.h), particulars. `replica` tells which process of the service it was
// ("echo/tcp@3f9a1c2b"), where that is not empty.
std::string EventLine(const control::v1::Event& event, const EventPaper& paper,
                      const std::string& replica = {});

// Likewise for events that this watcher did not get.
std::string EventsLostLine(const control::v1::EventsLost& lost, absl::Time now,
                           const EventPaper& paper, const std::string& replica = {});

// The same for programs, separated by tabs: time (RFC 3339), service and listener, instance,
// connection, kind, particulars, sample.
std::string EventFields(const control::v1::Event& event);
std::string EventsLostFields(const control::v1::EventsLost& lost, absl::Time now);

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
