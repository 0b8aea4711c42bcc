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
  rows_.push_back(std::move(cells));
}

std::string TextTable::Text() const {
  std::vector<int> widths;
  std::vector<size_t> shown;
  for (size_t i = 0; i < columns_.size(); ++i) {
    int width = 0;
    for (const auto& row : rows_) width = std::max(width, DisplayWidth(row[i]));
    if (width > 0 || !columns_[i].optional) shown.push_back(i);
    widths.push_back(std::max(width, DisplayWidth(columns_[i].heading)));
  }
  std::string text;
  const auto add_line = [&](const auto& cell_of) {
    std::string line;
    for (const size_t i : shown) {
      const std::string& cell = cell_of(i);
      const std::string padding(static_cast<size_t>(widths[i] - DisplayWidth(cell)), ' ');
      if (i > 0) line += "  ";
      line += columns_[i].align == Align::kRight ? padding + cell : cell + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  add_line([&](size_t i) -> const std::string& { return columns_[i].heading; });
  for (const auto& row : rows_) {
    add_line([&](size_t i) -> const std::string& { return row[i]; });
  }
  return text;
}

std::string TextTable::PlainText() const {
  std::string text;
  for (const auto& row : rows_) absl::StrAppend(&text, absl::StrJoin(row, "\t"), "\n");
  return text;
}

}  // namespace rawgate::cli
