// The line being typed at a prompt, for a terminal that is not in canonical mode: messages may
// arrive in the middle of it, so it has to be known in order to be drawn again.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "cli/line_history.h"
#include "cli/terminal_keys.h"

namespace rawgate::cli {

// The cursor stands between characters as people see them (grapheme.h).
class LineEditor {
 public:
  // More than this is not taken: twice what a message may have, so that what is too long is refused
  // and not cut.
  static constexpr size_t kMaxBytes = 8192;

  enum class Result {
    // The line changed or the key means nothing.
    kEdited,
    // Enter: TakeLine() has the line.
    kEnter,
    // Ctrl-D on an empty line.
    kEnd,
  };

  Result Take(const TerminalKey& key);

  // The line, which is then empty, and the newest of those that Up brings back.
  std::string TakeLine();

  bool empty() const { return line_.empty(); }

  // What to draw: what is before the cursor and what is behind it, and the columns of each. When
  // not all of it fits, "<" and ">" stand for what is left out.
  struct View {
    std::string before;
    std::string after;
    int before_columns = 0;
    int after_columns = 0;
  };
  View Visible(int columns) const;

 private:
  void Insert(absl::string_view text);
  // Moves the cursor by one character or over blanks and a word; how far, in bytes.
  size_t BackCharacter() const;
  size_t BackWord() const;
  size_t ForwardCharacter() const;
  size_t ForwardWord() const;
  void EraseBack(size_t bytes);
  void Move(TerminalKey::Kind kind);
  void Recall(TerminalKey::Kind kind);

  std::string line_;
  // In bytes.
  size_t cursor_ = 0;
  LineHistory history_;
};

}  // namespace rawgate::cli
