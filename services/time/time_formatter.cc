#include "services/time/time_formatter.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "services/time/time_format.h"
#include "services/time/time_zone.h"

namespace rawgate::timesvc {
namespace {

// A result that was cut may end within a character, which no string of the API takes.
void DropPartialCharacter(std::string& text) {
  constexpr size_t kCharacterMax = 4;
  for (size_t back = 1; back <= std::min(kCharacterMax, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xc0) == 0x80) continue;
    const size_t size = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    if (size > back) text.resize(text.size() - back);
    return;
  }
}

std::string Text(absl::string_view format, const BrokenDownTime& time) {
  // Most results are short: the large buffer is for those that are not.
  std::string text(256, '\0');
  text.resize(FormatTime(format, time, text));
  if (text.size() < 256) return text;
  text.resize(kFormattedMax);
  text.resize(FormatTime(format, time, text));
  if (text.size() == kFormattedMax) DropPartialCharacter(text);
  return text;
}

}  // namespace

absl::StatusOr<TimeFormatter> TimeFormatter::Make(absl::string_view format,
                                                  absl::string_view time_zone) {
  if (format.size() > kFormatMax) {
    return FieldError("format", "FORMAT_TOO_LONG",
                      absl::StrCat("format is ", format.size(), " bytes; at most ", kFormatMax));
  }
  if (absl::Status status = CheckFormat(format); !status.ok()) return status;
  TimeFormatter formatter;
  formatter.format_ = std::string(format);
  if (time_zone.empty()) return formatter;
  const absl::StatusOr<absl::TimeZone> zone = FindTimeZone(time_zone);
  if (!zone.ok()) return zone.status();
  formatter.zone_ = *zone;
  formatter.zone_name_ = std::string(time_zone);
  return formatter;
}

FormattedTime TimeFormatter::Format(absl::Time time) const {
  const std::time_t second = absl::ToTimeT(time);
  const BrokenDownTime broken_down = zone_ ? BreakDown(second, *zone_) : BreakDown(second);
  FormattedTime result;
  result.formatted = Text(format_, broken_down);
  result.zone = zone_ ? zone_name_ : broken_down.fields.tm_zone;
  result.utc_offset_seconds = static_cast<int>(broken_down.fields.tm_gmtoff);
  return result;
}

}  // namespace rawgate::timesvc
