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
    // Of cells that are too wide for the terminal, the end is shown.
    bool shortened = false;
  };

  explicit TextTable(std::vector<Column> columns);

  // One cell for each column, in the columns' order. Cells are shown as they are: text from the far
  // side goes through Printable() first.
  void AddRow(std::vector<std::string> cells);

  // Has a cell of the row added last shown in that style, where there are colours.
  void Paint(size_t column, Style style);

  bool empty() const { return rows_.empty(); }

  // Heading and rows, each with its newline and without blanks at its end; with `colored`, the
  // heading is strong and painted cells are painted. For a terminal of so many columns; 0 is none.
  std::string Text(bool colored = false, int columns = 0) const;

  // Rows alone, a line each, every column in it and one tab between two (OutputFormat::kPlain).
  std::string PlainText() const;

  // The one or the other; kJson has no table.
  std::string In(OutputFormat format, bool colored, int columns = 0) const {
    return format == OutputFormat::kPlain ? PlainText() : Text(colored, columns);
  }

 private:
  // Of each column, with its heading; those that are shown go to `shown`.
  std::vector<int> WidthsOf(std::vector<size_t>& shown) const;
  // Takes from the columns that may be shortened what is over `most`.
  void Narrow(const std::vector<size_t>& shown, int most, std::vector<int>& widths) const;

  struct Row {
    std::vector<std::string> cells;
    // As many.
    std::vector<Style> styles;
  };

  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace rawgate::cli
