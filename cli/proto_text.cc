#include "cli/proto_text.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "cli/display_text.h"
#include "google/protobuf/util/json_util.h"

namespace rawgate::cli {
namespace {

std::string Json(const google::protobuf::Message& message, bool indented) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  options.add_whitespace = indented;
  std::string text;
  // Fails only for an Any of an unknown type or a time out of range, neither of which is worth
  // losing the other events for.
  if (!google::protobuf::util::MessageToJsonString(message, &text, options).ok()) text = "{}";
  if (text.empty() || text.back() != '\n') text += '\n';
  return text;
}

std::string InWords(absl::string_view enumerator, absl::string_view prefix) {
  return absl::StrReplaceAll(absl::AsciiStrToLower(absl::StripPrefix(enumerator, prefix)),
                             {{"_", " "}});
}

}  // namespace

absl::Time ToTime(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

google::protobuf::Timestamp ToProto(absl::Time time) {
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(absl::ToUnixSeconds(time));
  timestamp.set_nanos(static_cast<int32_t>(
      absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(timestamp.seconds()))));
  return timestamp;
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  google::protobuf::Duration result;
  absl::Duration rest;
  result.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &rest));
  result.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  return result;
}

std::string JsonLine(const google::protobuf::Message& message) { return Json(message, false); }

std::string JsonText(const google::protobuf::Message& message) { return Json(message, true); }

std::string StateName(control::v1::ServiceState state) {
  if (!control::v1::ServiceState_IsValid(state)) return absl::StrCat("state ", state);
  return InWords(control::v1::ServiceState_Name(state), "SERVICE_STATE_");
}

std::string StateName(exec::v1::JobState state) {
  if (!exec::v1::JobState_IsValid(state)) return absl::StrCat("state ", state);
  return InWords(exec::v1::JobState_Name(state), "JOB_STATE_");
}

std::string CloseReasonName(control::v1::CloseReason reason) {
  if (!control::v1::CloseReason_IsValid(reason)) return absl::StrCat("reason ", reason);
  return InWords(control::v1::CloseReason_Name(reason), "CLOSE_REASON_");
}

std::string OutcomeName(const exec::v1::Outcome& outcome) {
  switch (outcome.result_case()) {
    case exec::v1::Outcome::kExited:
      return absl::StrCat("exited ", outcome.exited().code());
    case exec::v1::Outcome::kSignalled:
      return absl::StrCat("signalled ", Printable(outcome.signalled().name()));
    case exec::v1::Outcome::kTimedOut:
      return "timed out";
    case exec::v1::Outcome::kCancelled:
      return "cancelled";
    case exec::v1::Outcome::kStartFailed:
      return "start failed";
    case exec::v1::Outcome::kOutputLimit:
      return "output limit";
    case exec::v1::Outcome::RESULT_NOT_SET:
      break;
  }
  return "unknown";
}

}  // namespace rawgate::cli
