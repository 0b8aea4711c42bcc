// IANA time zones by name, for names that come from strangers.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rawgate::timesvc {

// The zone called `name`, such as "Europe/Berlin", from TZDIR or /usr/share/zoneinfo. Nothing
// outside that folder is touched, and names that are not in it leave no trace, however many are
// tried. Error: INVALID_ARGUMENT (UNKNOWN_TIME_ZONE). Any thread.
absl::StatusOr<absl::TimeZone> FindTimeZone(absl::string_view name);

}  // namespace rawgate::timesvc
