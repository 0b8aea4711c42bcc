// Where a desk keeps its history.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace rawgate::chat {

// The folder for a program that was told none: "chat" in what systemd made for the service
// ($STATE_DIRECTORY, systemd.exec(5)), else "rawgate/chat" where the user's programs keep their
// state ($XDG_STATE_HOME, else ~/.local/state; the XDG base directory specification). Error:
// FAILED_PRECONDITION (NO_STATE_FOLDER) when the environment names none.
absl::StatusOr<std::string> DefaultHistoryFolder();

// Makes the folder, and those that it is in, where missing: for the owner only, and so that a power
// cut does not take them away again. Returns its path without symbolic links. Errors: errno's, and
// FAILED_PRECONDITION (HISTORY_FOLDER_UNSAFE) for one that others own (but for root) or may write
// to: whoever does decides what is in the history, and where it is.
absl::StatusOr<std::string> MakeHistoryFolder(const std::string& folder);

}  // namespace rawgate::chat
