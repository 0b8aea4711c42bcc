// How a command ended.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace rawgate::exec {

struct Outcome {
  enum class Kind { kExited, kSignalled, kTimedOut, kCancelled, kStartFailed, kOutputLimit };
  Kind kind = Kind::kCancelled;
  // kExited: 0 to 255.
  int exit_code = 0;
  // kSignalled; for kTimedOut, kCancelled and kOutputLimit the signal that ended the command, 0 if
  // it went by itself.
  int signal = 0;
  bool core_dumped = false;
  // kTimedOut: the limit that was passed.
  absl::Duration timeout;
  // kStartFailed: the cause, also as text ("exec: No such file or directory").
  int errno_value = 0;
  std::string message;
  // kOutputLimit: bytes.
  uint64_t output_limit = 0;
  // A process that outlived the command held its output when the service stopped waiting for more.
  bool output_may_be_incomplete = false;
  absl::Time start_time;
  absl::Time end_time;
  absl::Duration duration;
  absl::Duration user_time;
  absl::Duration system_time;
  uint64_t max_resident_bytes = 0;
};

// "exited 0", "signalled KILL", "timed out".
std::string Describe(const Outcome& outcome);
// "KILL" for SIGKILL.
std::string SignalName(int signal);
// As the outcome of a request: a command that ran to its end is OK, whatever it returned.
absl::Status ToStatus(const Outcome& outcome);

}  // namespace rawgate::exec
