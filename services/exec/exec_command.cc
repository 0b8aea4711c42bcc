#include "services/exec/exec_command.h"

#include <algorithm>
#include <climits>

#include "absl/hash/hash.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "runtime/base/status.h"
#include "services/exec/exec_input.h"

namespace rawgate::exec {
namespace {

constexpr absl::Duration kDrainTimeoutMax = absl::Hours(1);

// What databases of terminals have; a path in TERM would be read.
bool IsOfATerminalType(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         absl::StrContains("._+-", absl::string_view(&c, 1));
}

bool HasNul(absl::string_view text) { return absl::StrContains(text, '\0'); }

absl::Status CheckText(const CommandSpec& spec) {
  const auto too_long = [](absl::string_view field) {
    return FieldError(field, "COMMAND_TOO_LONG",
                      absl::StrCat("the command is longer than ", kCommandBytesMax, " bytes"));
  };
  if (spec.shell_command) {
    if (spec.shell_command->size() > kCommandBytesMax) return too_long("shell_command");
    if (HasNul(*spec.shell_command))
      return FieldError("shell_command", "BAD_COMMAND", "the command has a NUL in it");
    return absl::OkStatus();
  }
  if (spec.argv.empty() || spec.argv.front().empty()) {
    return FieldError("command", "NO_COMMAND", "no command; give a shell_command or argv");
  }
  size_t bytes = 0;
  for (size_t i = 0; i < spec.argv.size(); ++i) {
    bytes += spec.argv[i].size();
    if (bytes > kCommandBytesMax || i == kArgumentsMax) return too_long("argv");
    if (HasNul(spec.argv[i])) {
      return FieldError(absl::StrFormat("argv.arguments[%d]", i), "BAD_COMMAND",
                        "the argument has a NUL in it");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckTimes(const CommandSpec& spec, absl::Duration timeout_max) {
  const auto check = [](absl::string_view field, absl::Duration time, absl::Duration max) {
    if (time >= absl::ZeroDuration() && time <= max) return absl::OkStatus();
    return FieldError(
        field, "BAD_TIMEOUT",
        absl::StrCat("the ", field, " is not between 0 and ", absl::FormatDuration(max)));
  };
  if (absl::Status bad = check("timeout", spec.timeout, timeout_max); !bad.ok()) return bad;
  return check("drain_timeout", spec.drain_timeout.value_or(absl::ZeroDuration()),
               kDrainTimeoutMax);
}

}  // namespace

absl::Status CheckCommand(const CommandSpec& spec, absl::Duration timeout_max) {
  if (absl::Status text = CheckText(spec); !text.ok()) return text;
  if (!spec.folder.empty() &&
      (spec.folder.front() != '/' || spec.folder.size() >= PATH_MAX || HasNul(spec.folder))) {
    return FieldError("working_directory", "BAD_WORKING_DIRECTORY",
                      "the working folder is not an absolute path");
  }
  if (spec.input.size() > kInputBytesMax) {
    return FieldError("stdin", "INPUT_TOO_LONG",
                      absl::StrCat("standard input is longer than ", kInputBytesMax, " bytes"));
  }
  if (spec.terminal_type.size() > kTerminalTypeBytesMax ||
      !std::all_of(spec.terminal_type.begin(), spec.terminal_type.end(), IsOfATerminalType)) {
    return FieldError("terminal.type", "BAD_TERMINAL",
                      absl::StrCat("the terminal's type is longer than ", kTerminalTypeBytesMax,
                                   " bytes, or has more in it than letters, digits and ._+-"));
  }
  if (spec.request_id.size() > kRequestIdBytesMax) {
    return FieldError("request_id", "BAD_REQUEST_ID",
                      absl::StrCat("request_id is longer than ", kRequestIdBytesMax, " bytes"));
  }
  if (absl::Status times = CheckTimes(spec, timeout_max); !times.ok()) return times;
  return CheckEnvironment(spec.environment);
}

uint64_t FingerprintOf(const CommandSpec& spec) {
  return absl::HashOf(spec.shell_command.value_or(""), spec.argv, spec.folder, spec.environment,
                      spec.input, spec.input_stays_open, spec.terminal.has_value(),
                      spec.terminal_type, spec.timeout,
                      spec.drain_timeout.value_or(absl::InfiniteDuration()), spec.keep_last);
}

std::vector<std::string> ArgumentsOf(const CommandSpec& spec) {
  if (spec.shell_command) return {"/bin/sh", "-c", *spec.shell_command};
  return spec.argv;
}

}  // namespace rawgate::exec
