// The flags that only rawgate-chat has.
#pragma once

#include "absl/status/statusor.h"
#include "services/chat/chat_core.h"

namespace rawgate::chat {

struct Settings {
  AutomaticAnswer automatic;
  ChatLimits limits;
};

// Errors: INVALID_ARGUMENT (AUTO_REPLY_TOO_LONG, BAD_SESSION_EXPIRY) for a flag.
absl::StatusOr<Settings> SettingsFromFlags();

}  // namespace rawgate::chat
