// The bytes of a terminal as keys.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace rawgate::cli {

struct TerminalKey {
  enum class Kind {
    kText,
    kEnter,
    kBackspace,
    kDelete,
    kLeft,
    kRight,
    kWordLeft,
    kWordRight,
    kHome,
    kEnd,
    kUp,
    kDown,
    kPageUp,
    kPageDown,
    kEraseToStart,
    kEraseToEnd,
    kEraseWord,
    kDeleteOrEnd,  // Ctrl-D
    kClearScreen,
    kEscape,  // By itself: see EscapeAlone().
  };

  Kind kind = Kind::kText;
  // Of kText: whole characters, or bytes that are no UTF-8.
  std::string text;
};

// One thread.
class TerminalKeys {
 public:
  // The keys that `bytes` complete. What is pasted (between the brackets of xterm's mode 2004) is
  // text, its line ends too, but for those at its end; a terminal that does not know the mode sends
  // them as Enter. Escape sequences (ECMA-48) and control bytes without a meaning here are nothing.
  std::vector<TerminalKey> Take(absl::string_view bytes);

  // The last byte was an escape, which may be the key of that name or the beginning of a sequence:
  // these come in one piece, or nearly so.
  bool may_be_escape() const { return escape_ == Escape::kStarted && !pasting_; }
  // Nothing came for a moment after it: it is the key.
  TerminalKey EscapeAlone();

 private:
  using Kind = TerminalKey::Kind;
  enum class Escape { kNone, kStarted, kControlSequence, kSingleShift };

  void TakeByte(char byte);
  void TakeEscaped(char byte);
  void EndControlSequence(char final);
  void TakePastedNewline();
  void TakeText(char byte);
  void FlushCharacter();
  void AddKey(Kind kind);
  void AddText(absl::string_view text);

  std::vector<TerminalKey> keys_;
  // Of a character that has only begun.
  std::string character_;
  Escape escape_ = Escape::kNone;
  std::string parameters_;
  bool pasting_ = false;
  // Line ends in what is pasted that nothing has followed yet.
  size_t pasted_newlines_ = 0;
};

}  // namespace rawgate::cli
