#include "services/exec/exec_outcome.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::exec {

std::string SignalName(int signal) {
  const char* name = sigabbrev_np(signal);
  return name != nullptr ? name : absl::StrCat("RT", signal);
}

std::string Describe(const Outcome& outcome) {
  switch (outcome.kind) {
    case Outcome::Kind::kExited:
      return absl::StrCat("exited ", outcome.exit_code);
    case Outcome::Kind::kSignalled:
      return absl::StrCat("signalled ", SignalName(outcome.signal));
    case Outcome::Kind::kTimedOut:
      return "timed out";
    case Outcome::Kind::kCancelled:
      return "cancelled";
    case Outcome::Kind::kStartFailed:
      return absl::StrCat("start failed: ", outcome.message);
    case Outcome::Kind::kOutputLimit:
      break;
  }
  return "output limit";
}

absl::Status ToStatus(const Outcome& outcome) {
  switch (outcome.kind) {
    case Outcome::Kind::kExited:
    case Outcome::Kind::kSignalled:
      return absl::OkStatus();
    case Outcome::Kind::kTimedOut:
      return Error(
          absl::StatusCode::kDeadlineExceeded, "TIMED_OUT",
          absl::StrCat("the command ran longer than ", absl::FormatDuration(outcome.timeout)));
    case Outcome::Kind::kCancelled:
      return Error(absl::StatusCode::kCancelled, "CANCELLED", "the command was cancelled");
    case Outcome::Kind::kStartFailed:
      return Error(absl::StatusCode::kFailedPrecondition, "START_FAILED", outcome.message);
    case Outcome::Kind::kOutputLimit:
      break;
  }
  return Error(absl::StatusCode::kResourceExhausted, "OUTPUT_LIMIT",
               absl::StrCat("the command wrote more than ", outcome.output_limit, " bytes"));
}

}  // namespace rawgate::exec
