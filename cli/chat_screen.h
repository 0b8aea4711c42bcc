// What an operator sees: lines, and at a terminal a prompt below them that they do not disturb.
#pragma once

#include <termios.h>

#include <atomic>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "cli/console.h"
#include "cli/line_editor.h"

namespace rawgate::cli {

// Any thread.
class ChatScreen {
 public:
  // Interactive when both input and output are terminals: the terminal then leaves canonical mode
  // and does not echo until the destructor; Ctrl-C still sends its signal.
  explicit ChatScreen(Console& console);
  ~ChatScreen();
  ChatScreen(const ChatScreen&) = delete;
  ChatScreen& operator=(const ChatScreen&) = delete;

  bool interactive() const { return interactive_; }

  // Shows `lines`, each with its newline, above the prompt. They are safe for a terminal.
  void Show(absl::string_view lines);

  // As Show(), for what went wrong. When nobody sits at the terminal it goes to standard error, and
  // is remembered for the exit code.
  void Complain(absl::string_view lines);
  bool complained() const { return complained_; }

  // What stands before the line being typed. It does not change under the operator's fingers: a new
  // prompt is shown once the line is empty.
  void SetPrompt(std::string prompt, int session);

  struct Typed {
    LineEditor::Key key;
    // After Enter.
    std::string line;
    // That of the prompt before which it was typed; 0 when not interactive.
    int session = 0;
  };
  // One byte of input. Without a terminal, control bytes but newline are text and nothing is drawn.
  Typed Type(char byte);

  // The rest of the input, without a newline at its end.
  Typed TakeRest();

 private:
  void Draw();
  void TakeNextPrompt();

  Console& console_;
  const bool interactive_;
  std::atomic<bool> complained_ = false;
  termios before_{};

  std::mutex mutex_;
  LineEditor editor_;
  // Input that is no terminal's is not edited.
  std::string plain_;
  std::string prompt_ = "> ";
  int session_ = 0;
  std::string next_prompt_ = prompt_;
  int next_session_ = 0;
  bool drawn_ = false;
};

}  // namespace rawgate::cli
