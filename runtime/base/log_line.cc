#include "runtime/base/log_line.h"

#include <algorithm>
#include <cmath>

#include <boost/locale/utf.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace rawgate {
namespace {

namespace utf = boost::locale::utf;

enum class Style : uint8_t {
  kPlain,   // a message as text: quotes and backslashes stay
  kQuoted,  // between quotes, as text
  kJson,    // between quotes, as JSON (RFC 8259 section 7)
};

// What ends lines, moves a terminal's cursor, or shows text in another order than it has.
bool IsUnsafe(utf::code_point c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e || c == 0x200f || c == 0x2028 ||
         c == 0x2029 || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

void AppendUnsafe(utf::code_point c, Style style, std::string* line) {
  switch (c) {
    case '\n':
      line->append("\\n");
      return;
    case '\r':
      line->append("\\r");
      return;
    case '\t':
      line->append("\\t");
      return;
    default:
      // JSON has no \x.
      if (style == Style::kJson || c >= 0x80) {
        absl::StrAppendFormat(line, "\\u%04x", c);
      } else {
        absl::StrAppendFormat(line, "\\x%02x", c);
      }
  }
}

void AppendEscaped(absl::string_view text, Style style, std::string* line) {
  const size_t kept = std::min(text.size(), kLogTextBytesMax);
  const char* next = text.data();
  const char* const end = next + kept;
  while (next != end) {
    const char* const begin = next;
    const utf::code_point c = utf::utf_traits<char>::decode(next, end);
    if (c == utf::illegal || c == utf::incomplete) {
      next = begin + 1;
      if (style == Style::kJson) line->push_back('\\');
      absl::StrAppendFormat(line, "\\x%02x", static_cast<unsigned char>(*begin));
    } else if (IsUnsafe(c)) {
      AppendUnsafe(c, style, line);
    } else {
      if (style != Style::kPlain && (c == '"' || c == '\\')) line->push_back('\\');
      line->append(begin, next);
    }
  }
  if (kept < text.size()) absl::StrAppend(line, "... (", text.size() - kept, " bytes more)");
}

void AppendQuoted(absl::string_view text, Style style, std::string* line) {
  line->push_back('"');
  AppendEscaped(text, style, line);
  line->push_back('"');
}

bool IsWord(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return absl::ascii_isgraph(c) && c != '"' && c != '=' && c != '\\';
  });
}

struct AppendValue {
  Style style;
  std::string* line;

  void operator()(absl::string_view text) const {
    if (style != Style::kJson && IsWord(text)) return AppendEscaped(text, style, line);
    AppendQuoted(text, style, line);
  }
  void operator()(int64_t number) const { absl::StrAppend(line, number); }
  void operator()(bool yes) const { line->append(yes ? "true" : "false"); }
  void operator()(double number) const {
    // JSON has neither infinity nor NaN.
    if (std::isfinite(number)) {
      absl::StrAppend(line, number);
    } else {
      line->append("null");
    }
  }
};

bool SaysNothing(const LogField& field) {
  const auto* text = std::get_if<absl::string_view>(&field.value);
  return text != nullptr && text->empty();
}

std::string Timestamp(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

}  // namespace

std::string TextLine(const LogEvent& event) {
  std::string line =
      absl::StrCat(Timestamp(event.time), " ", event.level, " ", event.program, ": ");
  AppendEscaped(event.message, Style::kPlain, &line);
  for (const LogField& field : event.fields) {
    if (SaysNothing(field)) continue;
    absl::StrAppend(&line, " ", field.name, "=");
    std::visit(AppendValue{Style::kQuoted, &line}, field.value);
  }
  return line;
}

std::string JsonLine(const LogEvent& event) {
  std::string line = absl::StrCat("{\"time\":\"", Timestamp(event.time), "\",\"level\":");
  AppendQuoted(event.level, Style::kJson, &line);
  line.append(",\"program\":");
  AppendQuoted(event.program, Style::kJson, &line);
  line.append(",\"message\":");
  AppendQuoted(event.message, Style::kJson, &line);
  for (const LogField& field : event.fields) {
    if (SaysNothing(field)) continue;
    line.push_back(',');
    AppendQuoted(field.name, Style::kJson, &line);
    line.push_back(':');
    std::visit(AppendValue{Style::kJson, &line}, field.value);
  }
  line.push_back('}');
  return line;
}

}  // namespace rawgate
