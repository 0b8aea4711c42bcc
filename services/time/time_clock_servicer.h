// The test clock's setting as the API has it, and as text.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "rawgate/time/v1/test_clock.pb.h"
#include "services/time/clock_setting.h"

namespace rawgate::timesvc {

// What is out of its range is for ClockSetting::Check(). Errors, of fields of "test_clock":
// INVALID_ARGUMENT (BAD_OFFSET, BAD_ROOT_DISPERSION: no durations by protobuf's rules; BAD_LEAP).
absl::StatusOr<ClockSetting> FromProto(const time::v1::TestClock& test_clock);

// Empty for the real clock.
time::v1::TestClock ToProto(const ClockSetting& setting);

// "offset -1h, rate 2, leap 3", "the real clock": for the log and for watchers of events.
std::string ToText(const ClockSetting& setting);

}  // namespace rawgate::timesvc
