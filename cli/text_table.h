// Columns for people, in the manner of `docker ps`: a heading, two spaces between columns, as wide
// as the widest cell.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

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

  bool empty() const { return rows_.empty(); }

  // Heading and rows, each with its newline and without blanks at its end.
  std::string Text() const;

  // Rows alone, a line each, every column in it and one tab between two (OutputFormat::kPlain).
  std::string PlainText() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace rawgate::cli
