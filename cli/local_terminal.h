// The terminal at which somebody sits who talks to a command that has one of its own on the far
// side: that one makes sense of the keys, so this one must not.
#pragma once

#include <optional>

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

  // Zeros when it is not known.
  exec::v1::WindowSize Size() const;

  // Readable after the window's size has changed, until TakeSizeChange().
  int size_changed() const;
  void TakeSizeChange();

 private:
  const int fd_;
  Interrupt& interrupt_;
  std::optional<Interrupt::Scope> restored_;
};

}  // namespace rawgate::cli
