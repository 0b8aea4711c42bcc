// Columns for people, in the manner of `docker ps`: a heading, two spaces between columns, as wide
// as the widest cell.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "cli/output_format.h"
#include "cli/text_style.h"

namespace rawgate::cli {

class TextTable {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string heading;
    Align align = Align::kLeft;
    // Left out of a table in which it is empty.
    bool optional = false;
  };

  explicit TextTable(std::vector<Column> columns);

  // One cell for each column, in the columns' order. Cells are shown as they are: text from the far
  // side goes through Printable() first.
  void AddRow(std::vector<std::string> cells);

  // Has a cell of the row added last shown in that style, where there are colours.
  void Paint(size_t column, Style style);

  bool empty() const { return rows_.empty(); }

  // Heading and rows, each with its newline and without blanks at its end; with `colored`, the
  // heading is strong and painted cells are painted.
  std::string Text(bool colored = false) const;

  // Rows alone, a line each, every column in it and one tab between two (OutputFormat::kPlain).
  std::string PlainText() const;

  // The one or the other; kJson has no table.
  std::string In(OutputFormat format, bool colored) const {
    return format == OutputFormat::kPlain ? PlainText() : Text(colored);
  }

 private:
  struct Row {
    std::vector<std::string> cells;
    // As many.
    std::vector<Style> styles;
  };

  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace rawgate::cli
