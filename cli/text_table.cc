#include "cli/text_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/display_text.h"

namespace rawgate::cli {

TextTable::TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

void TextTable::AddRow(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  rows_.push_back({std::move(cells), std::vector<Style>(columns_.size(), Style::kPlain)});
}

void TextTable::Paint(size_t column, Style style) { rows_.back().styles[column] = style; }

std::string TextTable::Text(bool colored) const {
  std::vector<int> widths;
  std::vector<size_t> shown;
  Row heading;
  for (size_t i = 0; i < columns_.size(); ++i) {
    int width = 0;
    for (const Row& row : rows_) width = std::max(width, DisplayWidth(row.cells[i]));
    if (width > 0 || !columns_[i].optional) shown.push_back(i);
    widths.push_back(std::max(width, DisplayWidth(columns_[i].heading)));
    heading.cells.push_back(columns_[i].heading);
    heading.styles.push_back(Style::kStrong);
  }
  std::string text;
  const auto add_line = [&](const Row& row) {
    // Blanks that are followed by nothing are not written.
    std::string blanks;
    for (const size_t i : shown) {
      const std::string& cell = row.cells[i];
      const std::string padding(static_cast<size_t>(widths[i] - DisplayWidth(cell)), ' ');
      const bool right = columns_[i].align == Align::kRight;
      if (i > 0) blanks += "  ";
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
