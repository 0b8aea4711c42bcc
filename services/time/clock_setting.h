// How a clock can be wrong on purpose: protos/rawgate/time/v1/test_clock.proto, without protobuf.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace rawgate::timesvc {

// RFC 5905 section 7.3; the values are those of the wire.
enum class LeapIndicator : uint8_t {
  kNoWarning = 0,
  kLastMinute61 = 1,
  kLastMinute59 = 2,
  kUnsynchronized = 3,
};

// Fields of NTP answers that are not to be what they honestly would be.
struct NtpOverride {
  std::optional<LeapIndicator> leap = std::nullopt;
  // 0 to 255. 1 claims a reference clock, 16 and more are invalid on the wire.
  std::optional<uint32_t> stratum = std::nullopt;
  // From zero to kRootDispersionMax.
  std::optional<absl::Duration> root_dispersion = std::nullopt;
  // One to four graphic characters of ASCII: every answer is a Kiss-o'-Death packet (RFC 5905
  // section 7.4). Empty: none is. Not together with `stratum`.
  std::string kiss_code = {};

  bool operator==(const NtpOverride&) const = default;
};

// How the time that is told differs from the machine's. Made without arguments: not at all.
struct ClockSetting {
  static constexpr absl::Duration kOffsetMax = absl::Hours(24 * 36'525);
  static constexpr double kRateMin = 0.001;
  static constexpr double kRateMax = 1000;
  static constexpr absl::Duration kRootDispersionMax = absl::Seconds(65'535);

  // Ahead of the machine's clock, or behind it when negative; at most kOffsetMax either way.
  absl::Duration offset = absl::ZeroDuration();
  // Seconds told for each second that passes, from the moment of setting on: from kRateMin to
  // kRateMax. 0 means 1.
  double rate = 0;
  // The clock stands still, at the moment of setting and `offset`. `rate` must be 0.
  bool frozen = false;
  NtpOverride ntp = {};

  // Seconds told for each that passes: 0 while frozen.
  double Speed() const;
  // Whether nothing is told but the truth.
  bool IsReal() const;
  // Errors: INVALID_ARGUMENT (BAD_OFFSET, BAD_RATE, BAD_STRATUM, BAD_KISS_CODE,
  // BAD_ROOT_DISPERSION), of fields of "test_clock".
  absl::Status Check() const;
};

}  // namespace rawgate::timesvc
