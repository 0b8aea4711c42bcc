// Logging: spdlog on standard error (standard output belongs to the ready line).
#pragma once

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "spdlog/spdlog.h"

namespace rawgate {

// Sets the process's default logger. `level` is one of trace, debug, info, warn, error, off.
// Returns false and leaves the logger as it was when the level is unknown.
bool StartLogging(absl::string_view program, absl::string_view level);

// For messages that a peer can cause at will: lets some of them through each minute, and counts the
// others. One thread.
class LogLimit {
 public:
  explicit LogLimit(uint32_t per_minute = 20) : per_minute_(per_minute) {}

  // Nullopt: do not log this one. Otherwise how many were not, since the last that was.
  std::optional<uint64_t> Take(absl::Time now = absl::Now());

 private:
  const uint32_t per_minute_;
  absl::Time minute_ = absl::InfinitePast();
  uint32_t taken_ = 0;
  uint64_t held_back_ = 0;
};

}  // namespace rawgate
