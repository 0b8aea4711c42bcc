#include "services/chat/chat_flags.h"

#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "runtime/base/status.h"

ABSL_FLAG(std::string, auto_reply, "", "Automatic answer to clients; empty: none.");
ABSL_FLAG(absl::Duration, auto_reply_interval, absl::Minutes(10),
          "Time between two automatic answers to one client.");
ABSL_FLAG(absl::Duration, session_expiry, rawgate::chat::ChatLimits().session_expiry,
          "How long a session is kept after its last message; until operators have been shown all "
          "of its messages it is kept in any case. \"inf\": for ever.");

namespace rawgate::chat {

absl::StatusOr<Settings> SettingsFromFlags() {
  Settings settings;
  settings.automatic = {absl::GetFlag(FLAGS_auto_reply), absl::GetFlag(FLAGS_auto_reply_interval)};
  if (settings.automatic.text.size() > kBodyMax) {
    return FieldError("auto_reply", "AUTO_REPLY_TOO_LONG",
                      absl::StrCat("--auto_reply is longer than ", kBodyMax, " bytes"));
  }
  settings.limits.session_expiry = absl::GetFlag(FLAGS_session_expiry);
  if (settings.limits.session_expiry <= absl::ZeroDuration()) {
    return FieldError("session_expiry", "BAD_SESSION_EXPIRY",
                      "--session_expiry is a time greater than 0, such as 168h");
  }
  return settings;
}

}  // namespace rawgate::chat
