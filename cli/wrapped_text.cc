#include "cli/wrapped_text.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/strip.h"
#include "cli/display_text.h"

namespace rawgate::cli {
namespace {

// What a row does not begin with, and end with, in Chinese and Japanese text.
constexpr std::array<absl::string_view, 27> kClosing = {
    "，", "。", "、", "；", "：", "！", "？", "）", "】", "》", "〉", "」", "』", "〕",
    "…",  "—",  "”",  "’",  "·",  "～", ",",  ".",  ";",  ":",  "!",  "?",  ")"};
constexpr std::array<absl::string_view, 10> kOpening = {"（", "【", "《", "〈", "「",
                                                        "『", "〔", "“",  "‘",  "("};

template <size_t kSize>
bool IsOneOf(absl::string_view character, const std::array<absl::string_view, kSize>& those) {
  return std::find(those.begin(), those.end(), character) != those.end();
}

bool MayBreakBetween(absl::string_view last, absl::string_view next) {
  if (last.empty()) return false;
  if (last == " ") return true;
  if (IsOneOf(last, kOpening) || IsOneOf(next, kClosing)) return false;
  return DisplayWidth(last) == 2 || DisplayWidth(next) == 2;
}

// One line, without its end, into rows.
class LineWrapper {
 public:
  LineWrapper(int columns, std::vector<std::string>& rows) : columns_(columns), rows_(rows) {}

  void Wrap(absl::string_view line) {
    while (!line.empty()) Add(TakeShown(line));
    rows_.push_back(row_);
  }

 private:
  void Add(const std::string& character) {
    if (MayBreakBetween(last_, character)) {
      break_ = row_.size();
      break_columns_ = row_columns_;
    }
    const int columns = DisplayWidth(character);
    last_ = character;
    // A blank at the end of a full row is the break itself.
    if (character == " " && row_columns_ == columns_) {
      EndRow(row_.size(), row_columns_);
      return;
    }
    while (row_columns_ + columns > columns_ && !row_.empty()) {
      if (break_ > 0) {
        EndRow(break_, break_columns_);
      } else {
        EndRow(row_.size(), row_columns_);
      }
    }
    row_ += character;
    row_columns_ += columns;
  }

  void EndRow(size_t size, int columns) {
    absl::string_view row = absl::string_view(row_).substr(0, size);
    while (absl::ConsumeSuffix(&row, " ")) continue;
    rows_.emplace_back(row);
    row_.erase(0, size);
    row_columns_ -= columns;
    break_ = 0;
    break_columns_ = 0;
  }

  const int columns_;
  std::vector<std::string>& rows_;
  std::string row_;
  int row_columns_ = 0;
  std::string last_;
  // Where the row may be broken, in bytes and in columns; 0 when nowhere.
  size_t break_ = 0;
  int break_columns_ = 0;
};

}  // namespace

std::vector<std::string> WrappedText(absl::string_view bytes, int columns) {
  constexpr int kColumnsMin = 12;
  std::vector<std::string> rows;
  if (absl::ConsumeSuffix(&bytes, "\n")) absl::ConsumeSuffix(&bytes, "\r");
  while (true) {
    const size_t end = bytes.find('\n');
    absl::string_view line = bytes.substr(0, end);
    if (end != bytes.npos) absl::ConsumeSuffix(&line, "\r");
    LineWrapper(std::max(columns, kColumnsMin), rows).Wrap(line);
    if (end == bytes.npos) return rows;
    bytes.remove_prefix(end + 1);
  }
}

}  // namespace rawgate::cli
