#include "cli/failure.h"

#include <algorithm>
#include <array>

#include <boost/json/object.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/display_text.h"
#include "cli/json_text.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

struct Advice {
  absl::string_view reason;
  absl::string_view text;
};

// What to do, by the reason in the error. Reasons whose message says it all are not here.
constexpr std::array kAdvice = std::to_array<Advice>({
    {"BACKEND_UNREACHABLE", "'rawgate ps' shows which services answer the gateway."},
    {"BIND_FAILED", "Free the address, then 'rawgate start' the service again."},
    {"CERTIFICATE_OF_ANOTHER",
     "--gateway=NAME uses one that it is for; 'rawgate init-tls --renew "
     "--host NAME' makes one for more."},
    {"CERTIFICATE_UNTRUSTED", "'rawgate init-tls --renew' makes a new one."},
    {"BAD_CONFIG", "'rawgate config path' tells which file it is."},
    {"CONNECTION_NOT_FOUND", "'rawgate connections' lists those that are open."},
    {"CONTEXT_EXISTS", "--replace puts this one in its place."},
    {"CONTEXT_NOT_FOUND", "'rawgate context list' shows those that there are."},
    {"CREDENTIALS_MISSING", "--token-file=FILE or $RAWGATE_TOKEN says who you are."},
    {"CREDENTIALS_UNKNOWN", "The gateway's access file does not have it; see 'rawgate new-token'."},
    {"FILE_EXISTS", "Without --if-absent a file is replaced, a folder never."},
    {"FILE_NOT_FOUND", "'rawgate ls' lists what is there."},
    {"FOLDER_NOT_EMPTY", "'rawgate rm -r' removes what is in it, too."},
    {"INPUT_TOO_LARGE", "'rawgate put' it as a file and let the command read that."},
    {"INSTANCE_NOT_FOUND", "'rawgate ps' lists services and their instances."},
    {"INSTANCE_REQUIRED", "'rawgate connections' shows it, --instance takes it."},
    {"JOB_ENDED", "'rawgate attach' shows how, and what it wrote."},
    {"JOB_QUEUED", "'rawgate jobs' shows when it runs."},
    {"LISTENER_NOT_FOUND", "'rawgate ps' lists services and listeners."},
    {"NO_SUCH_JOB", "'rawgate jobs --all' lists those that are known."},
    {"OWN_CERTIFICATE_EXPIRED", "'rawgate init-tls --renew' makes a new one."},
    {"OWN_CERTIFICATE_NOT_YET_VALID", "Is the clock of this machine right?"},
    {"QUOTA_EXCEEDED", "'rawgate uploads' shows what unfinished uploads hold."},
    {"ROLE_TOO_LOW", "Whoever keeps the gateway's access file can give you more."},
    {"SERVICE_NOT_FOUND", "'rawgate ps' lists services and listeners."},
    {"SERVICE_STOPPED", "'rawgate start' brings it back."},
    {"SESSION_NOT_FOUND", "/sessions lists those that are kept."},
    {"TOKEN_IN_THE_CLEAR", "--tls-ca=FILE encrypts the connection."},
    {"UPLOAD_NOT_FOUND", "'rawgate uploads' lists those that are unfinished."},
    {"UPLOAD_TAKEN_OVER", "Another 'rawgate put' sends the same file."},
});

std::string AdviceFor(const absl::Status& status, absl::string_view command = {}) {
  std::string reason = ReasonOf(status);
  // Connections may be those of the gateway itself, which 'rawgate ps' does not list.
  if (command == "close" && reason == "SERVICE_NOT_FOUND") reason = "CONNECTION_NOT_FOUND";
  const auto found = std::find_if(kAdvice.begin(), kAdvice.end(),
                                  [&](const Advice& advice) { return advice.reason == reason; });
  if (found != kAdvice.end()) return std::string(found->text);
  if (const auto delay = RetryAfterOf(status)) {
    return absl::StrCat("Try again in ", HumanDuration(*delay), ".");
  }
  return "";
}

struct Explanation {
  // Without a full stop.
  std::string message;
  // A sentence or more; may be empty.
  std::string advice = {};
  // The message is one as well, whatever follows.
  bool is_sentence = false;
};

// Errors that gRPC itself made carry no reason of ours. An empty message: it is none of these.
Explanation TransportFailure(const absl::Status& status, absl::string_view target) {
  if (ReasonOf(status) == "GATEWAY_UNREACHABLE") {
    return {absl::StrCat("cannot reach the gateway at ", target, ": ", status.message()),
            "Is it running? './script/up' starts everything; --gateway=ADDRESS names another.",
            true};
  }
  if (absl::StartsWith(ReasonOf(status), "CERTIFICATE_") || ReasonOf(status) == "NOT_TLS") {
    return {absl::StrCat("the gateway at ", target, " is not trusted: ", status.message()),
            AdviceFor(status), true};
  }
  if (ReasonOf(status) != absl::StatusCodeToString(status.code())) return {};
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      return {absl::StrCat("lost the gateway at ", target, ": ", status.message()), "", true};
    case absl::StatusCode::kDeadlineExceeded:
      return {absl::StrCat("the gateway at ", target, " did not answer in time"), "", true};
    case absl::StatusCode::kUnimplemented:
      return {
          absl::StrCat("the server at ", target,
                       " does not know this call: it is no rawgate gateway, or another version"),
          "", true};
    default:
      return {};
  }
}

Explanation ExplanationOf(absl::string_view command, const absl::Status& status,
                          absl::string_view target) {
  Explanation explanation = TransportFailure(status, target);
  if (!explanation.message.empty()) return explanation;
  explanation.message = std::string(absl::StripSuffix(status.message(), "."));
  if (explanation.message.empty()) explanation.message = ReasonOf(status);
  explanation.advice = AdviceFor(status, command);
  return explanation;
}

std::string ObjectLine(const Failure& failure, const Explanation& explanation) {
  boost::json::object error;
  const auto add = [&error](const char* name, absl::string_view value) {
    if (!value.empty()) error[name] = JsonString(value);
  };
  add("command", failure.command);
  add("subject", failure.subject);
  add("code", absl::StatusCodeToString(failure.status.code()));
  add("reason", ReasonOf(failure.status));
  add("message", explanation.message);
  add("advice",
      absl::StripAsciiWhitespace(absl::StrCat(failure.suggestion, " ", explanation.advice)));
  if (const auto delay = RetryAfterOf(failure.status)) error["retryAfter"] = JsonDuration(*delay);
  return JsonLine(boost::json::object{{"error", error}});
}

}  // namespace

std::string FailureLine(const Failure& failure, absl::string_view target, bool json) {
  const Explanation explanation = ExplanationOf(failure.command, failure.status, target);
  if (json) return ObjectLine(failure, explanation);
  std::string text =
      absl::StrCat("rawgate", failure.command.empty() ? "" : " ", failure.command,
                   failure.subject.empty() ? "" : ": ", failure.subject, ": ", explanation.message);
  // The message stays a fragment where it is all there is.
  const std::string rest =
      absl::StrCat(failure.suggestion, explanation.advice.empty() ? "" : " ", explanation.advice);
  const bool stops = absl::EndsWith(explanation.message, "?");
  if (!rest.empty() || explanation.is_sentence) absl::StrAppend(&text, stops ? "" : ".", rest);
  return absl::StrCat(Printable(text), "\n");
}

std::string Explain(absl::string_view command, const absl::Status& status,
                    absl::string_view target) {
  const Failure failure{std::string(command), "", status};
  return std::string(absl::StripSuffix(FailureLine(failure, target, /*json=*/false), "\n"));
}

}  // namespace rawgate::cli
