// Logging: spdlog on standard error (standard output belongs to the ready line).
#pragma once

#include "absl/strings/string_view.h"
#include "spdlog/spdlog.h"

namespace rawgate {

// Sets the process's default logger. `level` is one of trace, debug, info, warn, error, off.
// Returns false and leaves the logger as it was when the level is unknown.
bool StartLogging(absl::string_view program, absl::string_view level);

}  // namespace rawgate
