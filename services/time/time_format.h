// strftime(3) for formats that come from strangers: any bytes, any widths, any size of result.
#pragma once

#include <cstddef>
#include <ctime>
#include <span>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rawgate::timesvc {

// One instant, and its fields. strftime(3) would reckon "%s" from the fields, as if they were in
// the zone of the process, and look for a change of /etc/localtime each time.
struct BrokenDownTime {
  // Seconds since 1970-01-01 00:00:00 UTC.
  std::time_t instant;
  // In the zone asked for. tm_zone refers to memory that is never freed.
  std::tm fields;
};

// In the zone of the process: TZ in the environment, else /etc/localtime as it is now.
BrokenDownTime BreakDown(std::time_t time);
BrokenDownTime BreakDown(std::time_t time, const absl::TimeZone& zone);

// What an empty format means.
inline constexpr absl::string_view kDefaultFormat = "%Y-%m-%d %X";
// How much of a format is looked at.
inline constexpr size_t kFormatMax = 1024;
// Longest result.
inline constexpr size_t kFormattedMax = 64 << 10;

// Writes `time` as the strftime format says, in the C locale, into `out`, and returns how many
// bytes that took. A result that does not fit is cut: what is written is always a beginning of the
// whole. What is no conversion, be it text, a NUL, broken UTF-8 or a lone "%", passes through
// unchanged. Allocates nothing, and the work is bounded by the sizes of `format` and `out`,
// whatever widths are asked for. Any thread.
size_t FormatTime(absl::string_view format, const BrokenDownTime& time, std::span<char> out);

// Whether each '%' of `format` begins a conversion, for callers who would rather have an error than
// a '%' that passes through. Any thread. Errors: INVALID_ARGUMENT (BAD_FORMAT), of the field
// "format", saying where.
absl::Status CheckFormat(absl::string_view format);

}  // namespace rawgate::timesvc
