// What an operator sees: lines, and at a terminal a prompt below them that they do not disturb.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "cli/chat_lines.h"
#include "cli/console.h"
#include "cli/interrupt.h"
#include "cli/line_editor.h"
#include "cli/local_terminal.h"
#include "cli/terminal_keys.h"

namespace rawgate::cli {

// Any thread.
class ChatScreen {
 public:
  // Interactive when both input and output are terminals: keys then come as they are typed until
  // the destructor (LocalTerminal::EnterPromptMode()). `interrupt` outlives it.
  ChatScreen(Console& console, Interrupt& interrupt);
  ~ChatScreen();
  ChatScreen(const ChatScreen&) = delete;
  ChatScreen& operator=(const ChatScreen&) = delete;

  bool interactive() const { return terminal_.has_value(); }

  // What lines are made for now: the width changes with the window. Coloured at a terminal, but for
  // one without colours (TERM=dumb) and where NO_COLOR is set (no-color.org).
  ChatPaper paper() const;

  // Shows `lines`, each with its newline, above the prompt. They are safe for a terminal.
  void Show(absl::string_view lines);

  // A note of the desk itself, in printable text; without a terminal it goes to standard error.
  void Note(absl::string_view text);

  // As Note(), for what went wrong, which is remembered for the exit code when nobody sits at the
  // terminal.
  void Complain(absl::string_view text);
  bool complained() const { return complained_; }

  // What stands before the line being typed. It does not change under the operator's fingers: a new
  // prompt is shown once the line is empty.
  void SetPrompt(ChatPrompt prompt);

  struct Typed {
    // Otherwise the end of the input: Ctrl-D.
    bool is_line = true;
    std::string line;
    // That of the prompt before which it was typed; 0 when not interactive.
    int session = 0;
  };
  // What `bytes` of input complete. Without a terminal, control bytes but newline are text and
  // nothing is drawn.
  std::vector<Typed> Type(absl::string_view bytes);

  // The rest of the input, without a newline at its end.
  Typed TakeRest();

  // A descriptor that is readable when Redraw() is due; -1 when it never will be.
  int redraw_due() const { return terminal_ ? terminal_->size_changed() : -1; }
  void Redraw();

 private:
  std::vector<Typed> TypeKeys(absl::string_view bytes);
  // What takes away the prompt and leaves the cursor where it began.
  std::string Erased() const;
  void Draw();

  Console& console_;
  const bool colored_;
  std::optional<LocalTerminal> terminal_;
  std::atomic<bool> complained_ = false;

  std::mutex mutex_;
  TerminalKeys keys_;
  LineEditor editor_;
  // Input that is no terminal's is not edited.
  std::string plain_;
  ChatPrompt prompt_;
  ChatPrompt next_prompt_;
  // Columns of what is drawn, and of what of it is before the cursor.
  bool drawn_ = false;
  int drawn_columns_ = 0;
  int cursor_columns_ = 0;
};

}  // namespace rawgate::cli
