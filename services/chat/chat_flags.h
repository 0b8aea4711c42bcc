// The flags that only rawgate-chat has.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "services/chat/chat_core.h"

namespace rawgate::chat {

struct Settings {
  AutomaticAnswer automatic;
  ChatLimits limits;
  // Empty: no history.
  std::string history_folder;
};

// Errors: INVALID_ARGUMENT (AUTO_REPLY_TOO_LONG, BAD_OPTION, BAD_SESSION_EXPIRY) for a flag,
// FAILED_PRECONDITION (NO_STATE_FOLDER).
absl::StatusOr<Settings> SettingsFromFlags();

}  // namespace rawgate::chat
