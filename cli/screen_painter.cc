#include "cli/screen_painter.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace rawgate::cli {
namespace {

constexpr absl::string_view kBegin = "\x1b[?2026h";
constexpr absl::string_view kEnd = "\x1b[?2026l";
constexpr absl::string_view kClear = "\x1b[H\x1b[2J";
constexpr absl::string_view kClearRest = "\x1b[K";
// Going over what has not changed is shorter than a sequence that leaps over it.
constexpr size_t kLeap = 8;

struct AsciiCell {
  char character = ' ';
  Style style = Style::kPlain;
  bool operator==(const AsciiCell&) const = default;
};

std::string MoveTo(size_t row, size_t column) {
  return column == 0 ? absl::StrCat("\x1b[", row + 1, "H")
                     : absl::StrCat("\x1b[", row + 1, ";", column + 1, "H");
}

// Whether columns are bytes.
bool IsAscii(const ScreenLine& line) {
  return std::all_of(line.spans().begin(), line.spans().end(), [](const ScreenLine::Span& span) {
    return std::all_of(span.text.begin(), span.text.end(),
                       [](char c) { return absl::ascii_isascii(static_cast<unsigned char>(c)); });
  });
}

// Without the blanks at its end that look like nothing.
std::vector<AsciiCell> CellsOf(const ScreenLine& line, bool colored) {
  std::vector<AsciiCell> cells;
  for (const auto& span : line.spans()) {
    for (const char c : span.text) cells.push_back({c, colored ? span.style : Style::kPlain});
  }
  while (!cells.empty() && cells.back() == AsciiCell()) cells.pop_back();
  return cells;
}

std::string Painted(const std::vector<AsciiCell>& cells, size_t begin, size_t end) {
  std::string painted;
  while (begin < end) {
    std::string text;
    const Style style = cells[begin].style;
    for (; begin < end && cells[begin].style == style; ++begin) text += cells[begin].character;
    painted += Styled(text, style, true);
  }
  return painted;
}

// What turns one row into another where each column is a byte.
std::string Changes(size_t row, const std::vector<AsciiCell>& before,
                    const std::vector<AsciiCell>& now) {
  std::string changes;
  const auto differs = [&](size_t i) {
    return (i < before.size() ? before[i] : AsciiCell()) != now[i];
  };
  size_t at = 0;
  while (true) {
    while (at < now.size() && !differs(at)) ++at;
    if (at == now.size()) break;
    size_t end = at + 1;
    for (size_t i = end; i < now.size() && i - end < kLeap; ++i) {
      if (differs(i)) end = i + 1;
    }
    absl::StrAppend(&changes, MoveTo(row, at), Painted(now, at, end));
    at = end;
  }
  if (before.size() > now.size()) absl::StrAppend(&changes, MoveTo(row, now.size()), kClearRest);
  return changes;
}

// Where terminals may differ in how wide something is, a row is painted as a whole. Cleared first:
// behind a full row the cursor stands on its last column.
std::string Whole(size_t row, const ScreenLine& line, bool colored) {
  std::string painted = absl::StrCat(MoveTo(row, 0), kClearRest);
  for (const auto& span : line.spans()) painted += Styled(span.text, span.style, colored);
  return painted;
}

}  // namespace

std::string ScreenPainter::Paint(const std::vector<ScreenLine>& lines) {
  std::string painted = known_ ? "" : std::string(kClear);
  if (!known_) shown_.clear();
  for (size_t row = 0; row < std::max(lines.size(), shown_.size()); ++row) {
    const ScreenLine before = row < shown_.size() ? shown_[row] : ScreenLine();
    const ScreenLine now = row < lines.size() ? lines[row] : ScreenLine();
    if (before == now) continue;
    painted += IsAscii(before) && IsAscii(now)
                   ? Changes(row, CellsOf(before, colored_), CellsOf(now, colored_))
                   : Whole(row, now, colored_);
  }
  known_ = true;
  shown_ = lines;
  return painted.empty() ? "" : absl::StrCat(kBegin, painted, kEnd);
}

}  // namespace rawgate::cli
