// Columns on a screen of a given width, with what matters less left out first.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/screen_line.h"

namespace rawgate::cli {

class ScreenTable {
 public:
  struct Column {
    std::string heading;
    bool right = false;
    // Never narrower: what changes all the time must not make the others move.
    int minimum = 0;
    // Where there is no room for all, columns of the lowest rank come first; 0 is never left out.
    int rank = 0;
    // It may shrink to `least`, but others of a higher rank only come if it keeps `enough`; 0: it
    // keeps its width.
    int least = 0;
    int enough = 0;
    // What shrinks loses its end and not its beginning, which of a name says less.
    bool loses_end = false;
    // Left out where no row has anything in it.
    bool optional = false;
  };
  struct Cell {
    std::string text;
    Style style = Style::kPlain;
  };

  // `sorted` is the column whose heading stands out; none where there is no such.
  ScreenTable(std::vector<Column> columns, size_t sorted)
      : columns_(std::move(columns)), sorted_(sorted) {}

  // One cell for each column, safe for a terminal.
  void AddRow(std::vector<Cell> cells);

  // Which of the columns there is room for.
  std::vector<bool> Shown(int width) const;

  // The heading, then those of the rows from `first` on of which there are `count`, each at most
  // `width` wide. Two columns in front of each are for the mark of the selected one, `selected`.
  std::vector<ScreenLine> Lines(int width, size_t first, size_t count, size_t selected) const;

 private:
  // Of each column as shown; 0: left out.
  std::vector<int> Widths(int width) const;
  std::vector<int> NaturalWidths() const;
  ScreenLine Heading(const std::vector<int>& widths) const;
  ScreenLine Row(size_t row, const std::vector<int>& widths) const;

  const std::vector<Column> columns_;
  const size_t sorted_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace rawgate::cli
