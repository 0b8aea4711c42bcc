#include "cli/display_text.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/code_point.h"
#include "cli/grapheme.h"

namespace rawgate::cli {
namespace {

std::string Escape(char32_t c) {
  switch (c) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      break;
  }
  if (c < 0x80) return absl::StrFormat("\\x%02x", static_cast<unsigned>(c));
  return absl::StrFormat("\\u{%x}", static_cast<unsigned>(c));
}

}  // namespace

std::string TakeShown(absl::string_view& rest) {
  const absl::string_view character = rest.substr(0, GraphemeLength(rest));
  rest.remove_prefix(character.size());
  const CodePoint first = DecodeUtf8(character);
  if (first.length == 0) {
    return absl::StrFormat("\\x%02x", static_cast<unsigned char>(character.front()));
  }
  // A mark without a letter would go on top of whatever is before it.
  if (IsControlOrFormat(first.value) || CodePointWidth(first.value) == 0)
    return Escape(first.value);
  return std::string(character);
}

std::string Printable(absl::string_view bytes) {
  std::string shown;
  while (!bytes.empty()) shown += TakeShown(bytes);
  return shown;
}

std::string PrintableLines(absl::string_view bytes) {
  std::string lines;
  for (size_t end = bytes.find('\n'); end != bytes.npos; end = bytes.find('\n')) {
    absl::StrAppend(&lines, Printable(bytes.substr(0, end)), "\n");
    bytes.remove_prefix(end + 1);
  }
  return absl::StrCat(lines, Printable(bytes));
}

size_t WholeCharacters(absl::string_view text) {
  constexpr size_t kCharacterMax = 4;
  for (size_t back = 1; back <= std::min(kCharacterMax, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xC0) == 0x80) continue;
    const size_t length = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    return length > back ? text.size() - back : text.size();
  }
  return text.size();
}

bool IsUtf8(absl::string_view text) {
  while (!text.empty()) {
    const size_t length = DecodeUtf8(text).length;
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string Quoted(absl::string_view bytes, int columns) {
  constexpr int kDots = 3;
  std::string shown = "\"";
  // What is kept of it when the whole turns out to be too wide.
  size_t kept = shown.size();
  int width = 2;
  while (!bytes.empty()) {
    const char next = bytes.front();
    std::string character = TakeShown(bytes);
    if (next == '"' || next == '\\') character.insert(0, 1, '\\');
    width += DisplayWidth(character);
    if (columns > 0 && width > columns) return shown.substr(0, kept) + "\"...";
    shown += character;
    if (width + kDots <= columns) kept = shown.size();
  }
  return shown + "\"";
}

int DisplayWidth(absl::string_view text) {
  constexpr char32_t kEmojiForm = 0xFE0F;
  int width = 0;
  int last = 0;
  while (!text.empty()) {
    const CodePoint c = DecodeUtf8(text);
    // It makes some terminals show the symbol before it as a wide emoji.
    const bool widens = c.value == kEmojiForm && last == 1;
    last = c.length == 0 || widens ? 1 : CodePointWidth(c.value);
    width += last;
    text.remove_prefix(c.length == 0 ? 1 : c.length);
  }
  return width;
}

std::string ShortenedFront(absl::string_view text, int columns) {
  constexpr absl::string_view kDots = "...";
  std::string shown = Printable(text);
  if (DisplayWidth(shown) <= columns) return shown;
  absl::string_view rest = shown;
  const int room = columns - static_cast<int>(kDots.size());
  while (!rest.empty() && DisplayWidth(rest) > room) rest.remove_prefix(GraphemeLength(rest));
  return absl::StrCat(kDots, rest);
}

std::string HumanSize(uint64_t bytes) {
  if (bytes < 1024) return absl::StrCat(bytes, " B");
  constexpr std::array<const char*, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  // 999.95 would be shown as 1000.0, one column too many.
  while (value >= 999.95) {
    value /= 1024;
    ++unit;
  }
  return absl::StrFormat("%.1f %s", value, kUnits[unit]);
}

std::string HumanDuration(absl::Duration duration) {
  if (duration <= absl::ZeroDuration()) return "0s";
  if (duration < absl::Milliseconds(1)) {
    return absl::StrCat(absl::ToInt64Microseconds(duration), "us");
  }
  if (duration < absl::Seconds(1)) return absl::StrCat(absl::ToInt64Milliseconds(duration), "ms");
  const int64_t seconds = absl::ToInt64Seconds(duration);
  if (seconds < 10) return absl::StrFormat("%.1fs", absl::ToDoubleSeconds(duration));
  if (seconds < 60) return absl::StrCat(seconds, "s");
  if (seconds < 3600) return absl::StrCat(seconds / 60, "m", seconds % 60, "s");
  if (seconds < 86400) return absl::StrCat(seconds / 3600, "h", seconds % 3600 / 60, "m");
  return absl::StrCat(seconds / 86400, "d", seconds % 86400 / 3600, "h");
}

std::string Counted(uint64_t count, absl::string_view noun, absl::string_view plural) {
  if (count == 1) return absl::StrCat("1 ", noun);
  return plural.empty() ? absl::StrCat(count, " ", noun, "s") : absl::StrCat(count, " ", plural);
}

std::string ClockTime(absl::Time time) {
  return absl::FormatTime("%H:%M:%E3S", time, absl::LocalTimeZone());
}

std::string DateAndTime(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M", time, absl::LocalTimeZone());
}

}  // namespace rawgate::cli
