#include "cli/display_text.h"

#include <locale.h>
#include <wchar.h>

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace rawgate::cli {
namespace {

struct CodePoint {
  char32_t value;
  // 0 when the bytes are no UTF-8.
  size_t length;
};

// The first code point of `text`, by table 3-7 of the Unicode standard: no overlong forms, no
// surrogates, nothing above U+10FFFF.
CodePoint Decode(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  size_t length = 0;
  char32_t value = 0;
  char32_t least = 0;
  if ((first & 0xE0) == 0xC0) {
    length = 2, value = first & 0x1F, least = 0x80;
  } else if ((first & 0xF0) == 0xE0) {
    length = 3, value = first & 0x0F, least = 0x800;
  } else if ((first & 0xF8) == 0xF0) {
    length = 4, value = first & 0x07, least = 0x10000;
  }
  if (length == 0 || text.size() < length) return {0, 0};
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {0, 0};
    value = (value << 6) | (byte(i) & 0x3Fu);
  }
  if (value < least || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {0, 0};
  return {value, length};
}

// Code points that act on the terminal or on the order of the characters around them: C0, DEL and
// C1, line and paragraph separators, directional marks, embeddings, overrides and isolates, the
// byte order mark and the other invisible format characters.
bool IsUnsafe(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x61C ||
         (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) ||
         (c >= 0xE0000 && c <= 0xE007F);
}

// Takes the first character off `rest` and returns how it is shown.
std::string TakeShown(absl::string_view& rest) {
  const CodePoint c = Decode(rest);
  if (c.length == 0) {
    const auto byte = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    return absl::StrFormat("\\x%02x", byte);
  }
  const absl::string_view character = rest.substr(0, c.length);
  rest.remove_prefix(c.length);
  if (!IsUnsafe(c.value)) return std::string(character);
  switch (c.value) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
  }
  if (c.value < 0x80) return absl::StrFormat("\\x%02x", static_cast<unsigned>(c.value));
  return absl::StrFormat("\\u{%x}", static_cast<unsigned>(c.value));
}

int CodePointWidth(char32_t c) {
  if (c < 0x80) return 1;
  // wcwidth() needs a locale that knows Unicode, and takes the thread's; C.UTF-8 is part of the C
  // library's own package.
  static const locale_t kUnicode = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (kUnicode == nullptr) return 1;
  const locale_t before = ::uselocale(kUnicode);
  const int width = ::wcwidth(static_cast<wchar_t>(c));
  ::uselocale(before);
  return width < 0 ? 1 : width;
}

}  // namespace

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
    const size_t length = Decode(text).length;
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
  int width = 0;
  while (!text.empty()) {
    const CodePoint c = Decode(text);
    width += c.length == 0 ? 1 : CodePointWidth(c.value);
    text.remove_prefix(c.length == 0 ? 1 : c.length);
  }
  return width;
}

size_t CharacterLength(absl::string_view text) {
  const CodePoint c = Decode(text);
  return c.length == 0 ? 1 : c.length;
}

void PopCharacter(std::string& text) {
  while (!text.empty()) {
    const auto last = static_cast<unsigned char>(text.back());
    text.pop_back();
    if ((last & 0xC0) != 0x80) return;
  }
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
