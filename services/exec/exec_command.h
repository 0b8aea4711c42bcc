// What a caller wants to be run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/exec/exec_caller.h"
#include "services/exec/exec_environment.h"
#include "services/exec/exec_launch.h"

namespace rawgate::exec {

// Of a shell command, or of all arguments together, without the NULs that end them.
inline constexpr size_t kCommandBytesMax = 64 * 1024;
inline constexpr size_t kArgumentsMax = kLaunchArgumentsMax;
inline constexpr size_t kRequestIdBytesMax = 128;
inline constexpr size_t kTerminalTypeBytesMax = 64;

struct CommandSpec {
  // One of both: the text for /bin/sh -c, or a program with its arguments.
  std::optional<std::string> shell_command;
  std::vector<std::string> argv;
  // Absolute; empty means the configured one.
  std::string folder;
  EnvironmentVariables environment;
  // The whole of standard input, or its beginning when it stays open.
  std::string input;
  bool input_stays_open = false;
  // Input, output and error are a terminal. Its input stays open.
  std::optional<WindowSize> terminal;
  // TERM; empty means xterm-256color.
  std::string terminal_type;
  // Zero means the configured default.
  absl::Duration timeout;
  // Absent means a second. With what is left of `timeout`, if that is less; a second at least.
  std::optional<absl::Duration> drain_timeout;
  // A caller's own limit of output beside the configured one.
  uint64_t output_max = UINT64_MAX;
  // Instead of a limit: the last of each stream is kept.
  bool keep_last = false;
  // Names the request; empty means that it has no name.
  std::string request_id;
  Caller caller;
  // Whose command it is, for events.
  std::string listener;
  uint64_t connection_id = 0;

  bool takes_input() const { return input_stays_open || terminal.has_value(); }
};

// `timeout_max` is the longest timeout that may be asked for. Errors: INVALID_ARGUMENT (NO_COMMAND,
// BAD_COMMAND, COMMAND_TOO_LONG, BAD_WORKING_DIRECTORY, BAD_ENVIRONMENT, INPUT_TOO_LONG,
// BAD_TIMEOUT, BAD_TERMINAL, BAD_REQUEST_ID), each with its field.
absl::Status CheckCommand(const CommandSpec& spec, absl::Duration timeout_max);

// The same for two that ask for the same, whoever asks; within this process.
uint64_t FingerprintOf(const CommandSpec& spec);

// The arguments for execve(2).
std::vector<std::string> ArgumentsOf(const CommandSpec& spec);

}  // namespace rawgate::exec
