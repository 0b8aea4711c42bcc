#include "cli/screen_table.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cli/display_text.h"

namespace rawgate::cli {
namespace {

constexpr absl::string_view kMark = "> ";
constexpr absl::string_view kNoMark = "  ";
constexpr int kGap = 2;

void AddCell(ScreenLine& line, absl::string_view text, Style style, int width, bool right) {
  const int begin = line.width();
  const int room = width - DisplayWidth(text);
  if (right && room > 0) line.PadTo(begin + room);
  line.Add(text, style);
  line.PadTo(begin + width);
}

std::string Shortened(const std::string& text, int width, bool loses_end) {
  constexpr absl::string_view kDots = "...";
  constexpr int kDotsWidth = static_cast<int>(kDots.size());
  if (DisplayWidth(text) <= width) return text;
  if (width < kDotsWidth) return CutText(text, width);
  // Of a URI the scheme says least.
  const size_t scheme = text.find("://");
  if (!loses_end && scheme != text.npos) {
    const std::string rest = text.substr(scheme + 3);
    if (DisplayWidth(rest) <= width) return rest;
  }
  return loses_end ? absl::StrCat(CutText(text, width - kDotsWidth), kDots)
                   : ShortenedFront(text, width);
}

}  // namespace

void ScreenTable::AddRow(std::vector<Cell> cells) {
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

std::vector<int> ScreenTable::NaturalWidths() const {
  std::vector<int> widths;
  for (size_t i = 0; i < columns_.size(); ++i) {
    int width = 0;
    for (const auto& row : rows_) width = std::max(width, DisplayWidth(row[i].text));
    const bool left_out = columns_[i].optional && width == 0;
    width = std::max({width, DisplayWidth(columns_[i].heading), columns_[i].minimum});
    widths.push_back(left_out ? 0 : width);
  }
  return widths;
}

std::vector<int> ScreenTable::Widths(int width) const {
  const std::vector<int> natural = NaturalWidths();
  const auto at_most = [&](size_t i, int limit) {
    return columns_[i].least == 0 ? natural[i] : std::min(natural[i], limit);
  };
  std::vector<size_t> by_rank(columns_.size());
  std::iota(by_rank.begin(), by_rank.end(), 0);
  std::stable_sort(by_rank.begin(), by_rank.end(),
                   [&](size_t a, size_t b) { return columns_[a].rank < columns_[b].rank; });
  std::vector<int> widths(columns_.size(), 0);
  int enough = 0;
  int left = width;
  for (size_t first = 0, end = 0; first < by_rank.size(); first = end) {
    // Those of one rank come, or stay away, together.
    int least = 0;
    const int rank = columns_[by_rank[first]].rank;
    for (end = first; end < by_rank.size() && columns_[by_rank[end]].rank == rank; ++end) {
      const size_t i = by_rank[end];
      if (natural[i] > 0) least += at_most(i, columns_[i].least) + kGap;
    }
    if (rank > 0 && enough + least > width) break;
    left -= least;
    for (size_t at = first; at < end; ++at) {
      const size_t i = by_rank[at];
      widths[i] = at_most(i, columns_[i].least);
      if (natural[i] > 0) enough += at_most(i, columns_[i].enough) + kGap;
    }
  }
  // What is left over goes to those that have less than they could use.
  for (const size_t i : by_rank) {
    if (widths[i] == 0 || left <= 0) continue;
    const int given = std::min(left, natural[i] - widths[i]);
    widths[i] += given;
    left -= given;
  }
  return widths;
}

std::vector<bool> ScreenTable::Shown(int width) const {
  std::vector<bool> shown;
  for (const int each : Widths(width)) shown.push_back(each > 0);
  return shown;
}

ScreenLine ScreenTable::Heading(const std::vector<int>& widths) const {
  ScreenLine line(kNoMark);
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (widths[i] == 0) continue;
    if (line.width() > static_cast<int>(kNoMark.size())) line.PadTo(line.width() + kGap);
    AddCell(line, CutText(columns_[i].heading, widths[i]),
            i == sorted_ ? Style::kOwn : Style::kStrong, widths[i], columns_[i].right);
  }
  return line;
}

ScreenLine ScreenTable::Row(size_t row, const std::vector<int>& widths) const {
  ScreenLine line;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (widths[i] == 0) continue;
    if (line.width() > 0) line.PadTo(line.width() + kGap);
    const Cell& cell = rows_[row][i];
    AddCell(line, Shortened(cell.text, widths[i], columns_[i].loses_end), cell.style, widths[i],
            columns_[i].right);
  }
  return line;
}

std::vector<ScreenLine> ScreenTable::Lines(int width, size_t first, size_t count,
                                           size_t selected) const {
  // The mark takes what the gap of one more column would.
  const std::vector<int> widths = Widths(width);
  std::vector<ScreenLine> lines;
  lines.push_back(Heading(widths));
  for (size_t row = first; row < rows_.size() && row - first < count; ++row) {
    ScreenLine line(row == selected ? kMark : kNoMark);
    const ScreenLine cells = Row(row, widths);
    for (const auto& span : cells.spans()) line.Add(span.text, span.style);
    if (row == selected) line.Select(width);
    lines.push_back(std::move(line));
  }
  for (ScreenLine& line : lines) line.CutTo(width);
  return lines;
}

}  // namespace rawgate::cli
