#include "services/time/time_format.h"

#include <locale.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::timesvc {
namespace {

// More than any conversion yields without a width.
constexpr size_t kNaturalSizeMax = 256;
// Digits of the widest width that is passed on.
constexpr size_t kWidthDigitsMax = 20;

// The C locale, whatever the environment of the process says.
locale_t CLocale() {
  static const locale_t c_locale = ::newlocale(LC_ALL_MASK, "C", nullptr);
  return c_locale;
}

// One conversion specification: % [flags] [width] [E or O] conversion.
struct Conversion {
  // Up to the width, such as "%_".
  absl::string_view head;
  // Digits; mostly none.
  absl::string_view width;
  // From behind the width to the conversion, such as "EY". Empty: no conversion after all.
  absl::string_view tail;

  size_t size() const { return head.size() + width.size() + tail.size(); }
};

bool IsOneOf(char c, absl::string_view set) { return set.find(c) != absl::string_view::npos; }

// Reads the conversion that `text` begins with, having seen the '%'.
Conversion ParseConversion(absl::string_view text) {
  constexpr absl::string_view kConversions = "aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%";
  const auto skip = [text](size_t from, absl::string_view set) {
    return std::min(text.find_first_not_of(set, from), text.size());
  };
  const size_t width = skip(1, "_-0^#");
  const size_t tail = skip(width, "0123456789");
  const size_t last = tail < text.size() && IsOneOf(text[tail], "EO") ? tail + 1 : tail;

  Conversion conversion{text.substr(0, width), text.substr(width, tail - width), {}};
  if (last < text.size() && IsOneOf(text[last], kConversions)) {
    conversion.tail = text.substr(tail, last + 1 - tail);
  }
  return conversion;
}

// Whether strftime(3) makes something of it: it takes E and O before some conversions only, and
// passes others, such as "%Ea", through.
bool Converts(const Conversion& conversion) {
  if (conversion.tail.size() < 2) return !conversion.tail.empty();
  const std::string specification = absl::StrCat("%", conversion.tail);
  std::array<char, kNaturalSizeMax> text;
  std::tm epoch{};
  epoch.tm_mday = 1;
  epoch.tm_year = 70;
  const size_t size =
      ::strftime_l(text.data(), text.size(), specification.c_str(), &epoch, CLocale());
  return absl::string_view(text.data(), size) != specification;
}

size_t WidthOf(const Conversion& conversion, size_t width_max) {
  size_t width = 0;
  for (const char digit : conversion.width) {
    width = std::min(width_max, width * 10 + static_cast<size_t>(digit - '0'));
  }
  return width;
}

// As glibc's "%s": all padding goes before the sign, and is blank unless the last of the flags that
// say how to pad asks for zeros.
size_t ConvertSeconds(const Conversion& conversion, std::time_t instant, std::span<char> out) {
  std::array<char, std::numeric_limits<std::time_t>::digits10 + 2> digits;
  const char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), instant).ptr;
  const absl::string_view number(digits.data(), static_cast<size_t>(end - digits.data()));
  const size_t width = WidthOf(conversion, out.size() + number.size());
  const size_t padding = std::min(out.size(), width - std::min(width, number.size()));
  const size_t flag = conversion.head.find_last_of("_-0");
  const bool zeros = flag != absl::string_view::npos && conversion.head[flag] == '0';
  std::fill_n(out.data(), padding, zeros ? '0' : ' ');
  return padding + number.copy(out.data() + padding, out.size() - padding);
}

// Writes what strftime(3) makes of one conversion, cut to `out`, which is not empty.
size_t Convert(const Conversion& conversion, const BrokenDownTime& time, std::span<char> out) {
  if (conversion.tail.back() == 's') return ConvertSeconds(conversion, time.instant, out);
  // Padding goes before what it pads, so any width that leaves no room for more than padding
  // yields the same bytes.
  const size_t width_max = out.size() + kNaturalSizeMax;
  std::array<char, kFormatMax + kWidthDigitsMax + 1> specification;
  char* end = std::copy(conversion.head.begin(), conversion.head.end(), specification.data());
  if (!conversion.width.empty()) {
    end = std::to_chars(end, end + kWidthDigitsMax, WidthOf(conversion, width_max)).ptr;
  }
  end = std::copy(conversion.tail.begin(), conversion.tail.end(), end);
  *end = '\0';

  size_t size = ::strftime_l(out.data(), out.size(), specification.data(), &time.fields, CLocale());
  if (size > 0) return size;
  // Nothing, or more than fits together with strftime's NUL. Of "%z" both the sign and the digits
  // are padded to the width.
  std::array<char, 2 * (kFormattedMax + kNaturalSizeMax) + 1> whole;
  size = ::strftime_l(whole.data(), whole.size(), specification.data(), &time.fields, CLocale());
  size = std::min(size, out.size());
  std::copy_n(whole.data(), size, out.data());
  return size;
}

}  // namespace

BrokenDownTime BreakDown(std::time_t time) {
  // localtime_r(3) need not notice that /etc/localtime has changed.
  ::tzset();
  BrokenDownTime result{.instant = time, .fields = {}};
  ::localtime_r(&time, &result.fields);
  return result;
}

BrokenDownTime BreakDown(std::time_t time, const absl::TimeZone& zone) {
  const absl::Time instant = absl::FromTimeT(time);
  const absl::TimeZone::CivilInfo civil = zone.At(instant);
  BrokenDownTime result{.instant = time, .fields = absl::ToTM(instant, zone)};
  result.fields.tm_gmtoff = civil.offset;
  result.fields.tm_zone = civil.zone_abbr;
  return result;
}

size_t FormatTime(absl::string_view format, const BrokenDownTime& time, std::span<char> out) {
  if (format.empty()) format = kDefaultFormat;
  format = format.substr(0, kFormatMax);
  out = out.first(std::min(out.size(), kFormattedMax));
  size_t written = 0;
  const auto pass_through = [&](size_t size) {
    written += format.copy(out.data() + written, std::min(size, out.size() - written));
    format.remove_prefix(size);
  };
  while (!format.empty() && written < out.size()) {
    if (format.front() != '%') {
      pass_through(std::min(format.find('%'), format.size()));
      continue;
    }
    const Conversion conversion = ParseConversion(format);
    if (conversion.tail.empty()) {
      pass_through(1);
      continue;
    }
    written += Convert(conversion, time, out.subspan(written));
    format.remove_prefix(conversion.size());
  }
  return written;
}

absl::Status CheckFormat(absl::string_view format) {
  for (size_t at = format.find('%'); at < format.size(); at = format.find('%', at)) {
    const Conversion conversion = ParseConversion(format.substr(at));
    if (!Converts(conversion)) {
      return FieldError("format", "BAD_FORMAT",
                        absl::StrCat("the % at byte ", at,
                                     " of format begins no conversion of "
                                     "strftime; %% stands for a %"));
    }
    at += conversion.size();
  }
  return absl::OkStatus();
}

}  // namespace rawgate::timesvc
