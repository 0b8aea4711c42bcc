#include "services/chat/chat_flags.h"

#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "runtime/base/status.h"
#include "services/chat/chat_history_folder.h"

ABSL_FLAG(std::string, auto_reply, "", "Automatic answer to clients; empty: none.");
ABSL_FLAG(absl::Duration, auto_reply_interval, absl::Minutes(10),
          "Time between two automatic answers to one client; at least 1s.");
ABSL_FLAG(absl::Duration, session_expiry, rawgate::chat::ChatLimits().session_expiry,
          "How long a session is kept after its last message; until operators have been shown all "
          "of its messages it is kept in any case. \"inf\": for ever.");
ABSL_FLAG(
    std::string, history, "",
    "Folder that sessions and messages are kept in; made, for its owner only, when missing. "
    "\"off\": none, a restart forgets them. Empty: chat in $STATE_DIRECTORY, else rawgate/chat "
    "in $XDG_STATE_HOME or ~/.local/state.");

namespace rawgate::chat {

absl::StatusOr<Settings> SettingsFromFlags() {
  Settings settings;
  settings.automatic = {absl::GetFlag(FLAGS_auto_reply), absl::GetFlag(FLAGS_auto_reply_interval)};
  if (settings.automatic.text.size() > kBodyMax) {
    return FieldError("auto_reply", "AUTO_REPLY_TOO_LONG",
                      absl::StrCat("--auto_reply is longer than ", kBodyMax, " bytes"));
  }
  if (settings.automatic.interval < absl::Seconds(1)) {
    return FieldError("auto_reply_interval", "BAD_OPTION",
                      "--auto_reply_interval is at least 1s: two desks would answer each other");
  }
  settings.limits.session_expiry = absl::GetFlag(FLAGS_session_expiry);
  if (settings.limits.session_expiry <= absl::ZeroDuration()) {
    return FieldError("session_expiry", "BAD_SESSION_EXPIRY",
                      "--session_expiry is a time greater than 0, such as 168h");
  }
  settings.history_folder = absl::GetFlag(FLAGS_history);
  if (settings.history_folder == "off") {
    settings.history_folder.clear();
  } else if (settings.history_folder.empty()) {
    absl::StatusOr<std::string> folder = DefaultHistoryFolder();
    if (!folder.ok()) return folder.status();
    settings.history_folder = *std::move(folder);
  }
  return settings;
}

}  // namespace rawgate::chat
