// rawgate date --watch.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "cli/command.h"
#include "rawgate/time/v1/time_service.pb.h"

namespace rawgate::cli {

struct DateWatch {
  time::v1::WatchTimeRequest request;
  // Ticks after which it is done; 0: never.
  uint32_t count = 0;
  // A line is a WatchTimeResponse.
  bool json = false;
};

// Prints a line for each tick; what was missed is told on standard error. Errors: those of the
// call, UNAVAILABLE (WATCH_ENDED) when it ends without one, and those of writing.
absl::StatusOr<int> WatchDate(const DateWatch& watch, Context& context);

}  // namespace rawgate::cli
