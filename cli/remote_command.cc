#include "cli/remote_command.h"

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "cli/display_text.h"
#include "cli/proto_text.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

// As timeout(1) and shells have them.
constexpr int kExitTimedOut = 124;
constexpr int kExitCannotExecute = 126;
constexpr int kExitNotFound = 127;
constexpr int kExitSignalBase = 128;

int ExitCode(const exec::v1::Outcome& outcome) {
  switch (outcome.result_case()) {
    case exec::v1::Outcome::kExited:
      return outcome.exited().code();
    case exec::v1::Outcome::kSignalled:
      return kExitSignalBase + outcome.signalled().number();
    case exec::v1::Outcome::kTimedOut:
      return kExitTimedOut;
    case exec::v1::Outcome::kStartFailed:
      return outcome.start_failed().errno_value() == ENOENT ? kExitNotFound : kExitCannotExecute;
    default:
      return kExitOurFailure;
  }
}

// What was not the command's own doing; empty when all was.
std::string Explanation(const exec::v1::Outcome& outcome) {
  switch (outcome.result_case()) {
    case exec::v1::Outcome::kExited:
      return "";
    case exec::v1::Outcome::kSignalled:
      return absl::StrCat("the command was ended by SIG", Printable(outcome.signalled().name()),
                          outcome.signalled().core_dumped() ? " (core dumped)" : "");
    case exec::v1::Outcome::kTimedOut:
      return absl::StrCat("the command was ended after its time limit of ",
                          HumanDuration(ToDuration(outcome.timed_out().timeout())),
                          "; --timeout sets another when it is started");
    case exec::v1::Outcome::kCancelled:
      return "the command was ended by the service";
    case exec::v1::Outcome::kStartFailed:
      return absl::StrCat("cannot start the command: ",
                          Printable(outcome.start_failed().message()));
    case exec::v1::Outcome::kOutputLimit:
      return absl::StrCat("the command was ended after ",
                          HumanSize(outcome.output_limit().limit_bytes()),
                          " of output, the service's limit; 'rawgate run --keep-last' has none");
    case exec::v1::Outcome::RESULT_NOT_SET:
      break;
  }
  return "the command ended in a way that this version does not know";
}

}  // namespace

absl::Status PassOn(const exec::v1::Output& output, const Console& console) {
  if (output.stream() == exec::v1::OUTPUT_STREAM_STDERR) {
    console.Error(output.data());
    return absl::OkStatus();
  }
  return console.Out(output.data());
}

absl::StatusOr<int> Conclude(const CommandEnd& end, absl::string_view name,
                             const Console& console) {
  // The outcome is the last word: what the transport did after it changes nothing.
  if (end.outcome) {
    if (end.outcome->output_may_be_incomplete()) {
      Tell(console, name, "a process in the background still held the output; some may be missing");
    }
    const std::string explanation = Explanation(*end.outcome);
    if (!explanation.empty()) Tell(console, name, explanation);
    return ExitCode(*end.outcome);
  }
  if (!end.status.ok()) return end.status;
  return Error(
      absl::StatusCode::kUnknown, "OUTCOME_UNKNOWN",
      "the far side went without telling how the command ended; it may have done its work");
}

void Tell(const Console& console, absl::string_view name, absl::string_view what) {
  console.Error(absl::StrCat("rawgate ", name, ": ", what, "\n"));
}

}  // namespace rawgate::cli
