// How a caller of the API wants the time to be told: a format and a zone, checked once.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rawgate::timesvc {

struct FormattedTime {
  std::string formatted;
  // As asked for, or the abbreviation of the server's own, such as "CET".
  std::string zone;
  int utc_offset_seconds = 0;
};

class TimeFormatter {
 public:
  // `format` is UTF-8; empty means kDefaultFormat. `time_zone` as for FindTimeZone(); empty means
  // the server's own. Errors: INVALID_ARGUMENT (FORMAT_TOO_LONG: over kFormatMax bytes; BAD_FORMAT:
  // a "%" that begins no conversion; UNKNOWN_TIME_ZONE).
  static absl::StatusOr<TimeFormatter> Make(absl::string_view format, absl::string_view time_zone);

  // `time` as FormatTime() has it: at most kFormattedMax bytes, cut between characters. Any thread.
  FormattedTime Format(absl::Time time) const;

 private:
  TimeFormatter() = default;

  std::string format_;
  // Nothing: the server's own, which may change.
  std::optional<absl::TimeZone> zone_;
  std::string zone_name_;
};

}  // namespace rawgate::timesvc
