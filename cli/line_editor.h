// The line being typed at a prompt, for a terminal that is not in canonical mode: messages may
// arrive in the middle of it, so it has to be known in order to be drawn again.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace rawgate::cli {

class LineEditor {
 public:
  // More than this is not taken.
  static constexpr size_t kMaxBytes = 4096;

  enum class Key {
    // The line changed or the key means nothing.
    kEdited,
    // Enter: TakeLine() has the line.
    kEnter,
    // Ctrl-D on an empty line.
    kEnd,
  };

  // The next byte from the terminal: text, Backspace, Ctrl-U (clears the line), Ctrl-W (removes a
  // word), Enter, Ctrl-D. Escape sequences, such as those of arrow keys, and other control bytes do
  // nothing.
  Key Type(char byte);

  // The line, which is then empty.
  std::string TakeLine();

  bool empty() const { return line_.empty(); }

  // What to draw: the end of the line, as much as fits into `columns`.
  std::string Visible(int columns) const;

 private:
  enum class Escape { kNone, kStarted, kControlSequence, kOneMore };

  void SkipEscape(unsigned char byte);

  std::string line_;
  Escape escape_ = Escape::kNone;
};

}  // namespace rawgate::cli
