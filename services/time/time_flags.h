// The flags of rawgate-time, in the terms of what they set.
#pragma once

#include "absl/status/statusor.h"
#include "services/time/ntp_responder.h"

namespace rawgate::timesvc {

struct Settings {
  bool test_clock = false;
  // But for the precision, which is measured.
  NtpOptions ntp;
  // Of NTP requests, per second.
  double ntp_rate_per_source = 0;
};

// From the flags, checked. Errors: INVALID_ARGUMENT (BAD_OPTION), of the flag.
absl::StatusOr<Settings> SettingsFromFlags();

}  // namespace rawgate::timesvc
