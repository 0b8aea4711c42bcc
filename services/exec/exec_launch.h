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
#include "services/exec/exec_sandbox.h"

namespace rawgate::exec {

// At most this many processes and threads of the user that commands run as, when the user is
// changed and ResourceLimits says nothing else.
inline constexpr uint64_t kProcessesMax = 4096;
// Soft limit of open descriptors that commands start with: what select(2) can handle.
inline constexpr uint64_t kOpenFilesSoft = 1024;

struct WindowSize {
  uint16_t rows = 24;
  uint16_t columns = 80;
};

// Zero: no other limit than the service has. What they mean is in policy.proto.
struct ResourceLimits {
  uint64_t cpu_seconds = 0;
  uint64_t address_space_bytes = 0;
  uint64_t open_files = 0;
  uint64_t processes = 0;
  uint64_t file_size_bytes = 0;
};

struct Launch {
  Identity identity;
  ResourceLimits limits;
  Sandbox sandbox = Sandbox::kNone;
  // At least one; none holds a NUL.
  std::vector<std::string> argv;
  // "NAME=value", complete but for what a sandbox adds.
  std::vector<std::string> environment;
  // Absolute; empty, in a sandbox, for the folder of its own.
  std::string folder;
  // In a sandbox: where it may write; and what rawgate-exec-inner gives it as `environment`.
  std::string own_folder;
  std::vector<std::string> inner_environment;
  // Whole standard input; empty means end of file at once.
  std::string input;
  // Input comes while the command runs, instead of `input`.
  bool input_stays_open = false;
  // Input, output and error are a terminal.
  std::optional<WindowSize> terminal;
};

// Writes `launch` into `block`. Anything but 0 is an errno: E2BIG.
int WriteLaunch(const Launch& launch, LaunchBlock* block);

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
  // What the launcher is given besides, see LaunchBlock::fourth.
  Fd fourth;

  // The value is an errno.
  int Open(const Launch& launch);

 private:
  int OpenPipes(const Launch& launch);
  int OpenTerminal(WindowSize size, const Identity& identity);
  int OpenFourth(const Launch& launch);
};

// The value is an errno. `terminal` is either end.
int SetWindowSize(int terminal, WindowSize size);

// Such as "exec: No such file or directory".
std::string DescribeLaunchFailure(const LaunchFailure& failure);

}  // namespace rawgate::exec
