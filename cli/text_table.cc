#include "cli/text_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/display_text.h"

namespace rawgate::cli {
namespace {

// Between two columns.
constexpr int kGap = 2;
// What is left of a column at least.
constexpr int kShortened = 12;

}  // namespace

TextTable::TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

void TextTable::AddRow(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  rows_.push_back({std::move(cells), std::vector<Style>(columns_.size(), Style::kPlain)});
}

void TextTable::Paint(size_t column, Style style) { rows_.back().styles[column] = style; }

std::vector<int> TextTable::WidthsOf(std::vector<size_t>& shown) const {
  std::vector<int> widths;
  for (size_t i = 0; i < columns_.size(); ++i) {
    int width = 0;
    for (const Row& row : rows_) width = std::max(width, DisplayWidth(row.cells[i]));
    if (width > 0 || !columns_[i].optional) shown.push_back(i);
    widths.push_back(std::max(width, DisplayWidth(columns_[i].heading)));
  }
  return widths;
}

void TextTable::Narrow(const std::vector<size_t>& shown, int most, std::vector<int>& widths) const {
  int over = -most;
  for (const size_t i : shown) over += widths[i] + (i == shown.front() ? 0 : kGap);
  for (const size_t i : shown) {
    if (!columns_[i].shortened || over <= 0) continue;
    const int narrowed = std::max(widths[i] - over, std::min(widths[i], kShortened));
    over -= widths[i] - narrowed;
    widths[i] = narrowed;
  }
}

std::string TextTable::Text(bool colored, int columns) const {
  std::vector<size_t> shown;
  std::vector<int> widths = WidthsOf(shown);
  if (columns > 0) Narrow(shown, columns, widths);
  Row heading;
  for (const Column& column : columns_) {
    heading.cells.push_back(column.heading);
    heading.styles.push_back(Style::kStrong);
  }
  std::string text;
  const auto add_line = [&](const Row& row) {
    // Blanks that are followed by nothing are not written.
    std::string blanks;
    for (const size_t i : shown) {
      const std::string cell = DisplayWidth(row.cells[i]) > widths[i]
                                   ? ShortenedFront(row.cells[i], widths[i])
                                   : row.cells[i];
      const std::string padding(static_cast<size_t>(widths[i] - DisplayWidth(cell)), ' ');
      const bool right = columns_[i].align == Align::kRight;
      if (i != shown.front()) blanks.append(kGap, ' ');
      if (right) blanks += padding;
      if (!cell.empty()) {
        absl::StrAppend(&text, blanks, Styled(cell, row.styles[i], colored));
        blanks.clear();
      }
      if (!right) blanks += padding;
    }
    text += "\n";
  };
  add_line(heading);
  for (const Row& row : rows_) add_line(row);
  return text;
}

std::string TextTable::PlainText() const {
  std::string text;
  for (const Row& row : rows_) absl::StrAppend(&text, absl::StrJoin(row.cells, "\t"), "\n");
  return text;
}

}  // namespace rawgate::cli
