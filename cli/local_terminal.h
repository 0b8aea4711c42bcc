// The terminal at which somebody sits: while they talk to a command that has one of its own on the
// far side, which then makes sense of the keys, so that this one must not; or at a prompt of ours.
#pragma once

#include <termios.h>

#include <atomic>
#include <mutex>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "cli/interrupt.h"
#include "rawgate/exec/v1/command.pb.h"

namespace rawgate::cli {

// At most one in a process, whose signal handlers it changes. Changes of the window's size are
// noticed from the constructor on.
class LocalTerminal {
 public:
  // Borrows `fd`, a terminal.
  LocalTerminal(int fd, Interrupt& interrupt);
  // Restores the mode.
  ~LocalTerminal();
  LocalTerminal(const LocalTerminal&) = delete;
  LocalTerminal& operator=(const LocalTerminal&) = delete;

  // Every key, also Ctrl-C, is a byte from now on, and output is shown as it is. The mode of before
  // comes back when this object goes, when `interrupt` is delivered, and when a signal that nobody
  // catches, such as SIGQUIT or SIGPIPE, ends the process; SIGKILL alone leaves it as it is.
  void EnterRawMode();

  // Every key is a byte from now on and is not echoed, but Ctrl-C and Ctrl-Z still send their
  // signals; what is pasted comes in the brackets of xterm's mode 2004, which is set through `out`,
  // the same terminal. The mode of before comes back as from raw mode, and while the process is
  // stopped by Ctrl-Z.
  void EnterPromptMode(int out);
  // Once the process goes on, which size_changed() tells, too.
  void ReenterPromptMode();

  // As prompt mode, but on the terminal's second screen (xterm's mode 1049), without a cursor, and
  // with lines that end at its edge, which Draw() draws. The first screen comes back with the mode
  // of before, as it was.
  void EnterScreenMode(int out);
  // Once the process goes on, which size_changed() tells, too. True when the screen is empty.
  bool ReenterScreenMode();
  // Writes `bytes` to `out` of EnterScreenMode(); nothing once the first screen is back.
  absl::Status Draw(absl::string_view bytes);

  // Zeros when it is not known.
  exec::v1::WindowSize Size() const;

  // Readable after the window's size has changed, or the process went on after a stop, until
  // TakeSizeChange().
  int size_changed() const;
  void TakeSizeChange();

 private:
  void MakePromptMode();
  void Enter(const termios& mode);
  void EndDrawing();

  const int fd_;
  termios prompt_mode_{};
  // Where the terminal is told of the mode, and what: -1 and empty when it need not know.
  int out_ = -1;
  const char* entering_ = "";
  const char* leaving_ = "";
  Interrupt& interrupt_;
  // What the signal's thread and Draw() agree by: see EndDrawing().
  std::mutex drawing_;
  std::atomic<bool> drawing_ends_ = false;
  bool draws_ = false;
  std::optional<Interrupt::Scope> restored_;
};

}  // namespace rawgate::cli
