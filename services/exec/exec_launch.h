// One command as the operating system is to start it, and the way it is told to a launcher. No
// event loop here.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "runtime/base/fd.h"
#include "services/exec/exec_identity.h"
#include "services/exec/exec_launcher.h"

namespace rawgate::exec {

// At most this many processes and threads of the user that commands run as, when the user is
// changed.
inline constexpr uint64_t kProcessesMax = 4096;
// Soft limit of open descriptors that commands start with: what select(2) can handle.
inline constexpr uint64_t kOpenFilesSoft = 1024;

struct WindowSize {
  uint16_t rows = 24;
  uint16_t columns = 80;
};

struct Launch {
  // At least one; none holds a NUL.
  std::vector<std::string> argv;
  // "NAME=value", complete.
  std::vector<std::string> environment;
  // Absolute.
  std::string folder;
  // Whole standard input; empty means end of file at once.
  std::string input;
  // Input comes while the command runs, instead of `input`.
  bool input_stays_open = false;
  // Input, output and error are a terminal.
  std::optional<WindowSize> terminal;
};

// Writes `launch`, to be run as `identity`, into `block`. Anything but 0 is an errno: E2BIG.
int WriteLaunch(const Launch& launch, const Identity& identity, LaunchBlock* block);

// What a command is connected to.
struct CommandStreams {
  // The command's ends; its 0, 1 and 2. Without an input that is /dev/null. A terminal is `output`,
  // for all three.
  Fd input;
  Fd output;
  Fd error_output;
  bool terminal = false;
  // Our ends, not blocking. A terminal has no second output.
  Fd output_reader;
  Fd error_output_reader;
  // When input comes while the command runs.
  Fd input_writer;

  // The value is an errno.
  int Open(const Launch& launch, const Identity& identity);

 private:
  int OpenPipes(const Launch& launch, const Identity& identity);
  int OpenTerminal(WindowSize size, const Identity& identity);
};

// The value is an errno. `terminal` is either end.
int SetWindowSize(int terminal, WindowSize size);

// Such as "exec: No such file or directory".
std::string DescribeLaunchFailure(const LaunchFailure& failure);

}  // namespace rawgate::exec
