// Keeps a terminal showing lines with as few bytes as that takes, which matters over ssh.
#pragma once

#include <string>
#include <vector>

#include "cli/screen_line.h"

namespace rawgate::cli {

// One thread. ECMA-48 (CUP, EL, ED, SGR), and synchronized updates (DEC private mode 2026), which a
// terminal without them ignores. It is no curses: with whole lines at known places and a terminal
// that every program of the last thirty years assumes, a library of 400 kB that has its own ideas
// of how wide characters are, of signals and of the environment would have been more to tame than
// this is to read.
class ScreenPainter {
 public:
  explicit ScreenPainter(bool colored) : colored_(colored) {}

  // What makes a terminal that shows what was painted before show `lines` from its first row on,
  // and nothing below. Empty when it does already. The lines fit the screen.
  std::string Paint(const std::vector<ScreenLine>& lines);

  // The terminal shows something else: the next lines are painted whole.
  void Forget() { known_ = false; }

 private:
  const bool colored_;
  bool known_ = false;
  std::vector<ScreenLine> shown_;
};

}  // namespace rawgate::cli
