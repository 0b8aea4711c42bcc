// Logging: spdlog on standard error (standard output belongs to the ready line). One event is one
// line, whatever bytes are in it.
//
//   2026-11-26T21:07:45.123Z info rawgate-echo: accepting again connections=812
//   {"time":"2026-11-26T21:07:45.123Z","level":"info","program":"rawgate-echo",
//    "message":"accepting again","connections":812}                                 (one line)
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <type_traits>
#include <variant>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "spdlog/spdlog.h"

namespace rawgate {

enum class LogFormat : uint8_t {
  kAuto,  // text when standard error is a terminal, else JSON
  kText,
  kJson,  // one object a line
};
// Of "auto", "text", "json".
std::optional<LogFormat> ParseLogFormat(absl::string_view name);

// Sets the process's default logger. `level` is one of trace, debug, info, warn, error, off.
// Returns false and leaves the logger as it was when the level is unknown.
bool StartLogging(absl::string_view program, absl::string_view level,
                  LogFormat format = LogFormat::kAuto);

// One fact of an event, for programs that read logs. `name` is lower_snake_case, and none of time,
// level, program, message. A text that is empty says nothing and is left out.
struct LogField {
  using Value = std::variant<absl::string_view, int64_t, double, bool>;

  LogField(absl::string_view field, absl::string_view text) : name(field), value(text) {}
  // A number, or a bool.
  template <std::integral T>
  LogField(absl::string_view field, T number) : name(field) {
    if constexpr (std::is_same_v<T, bool>) {
      value = number;
    } else {
      value = static_cast<int64_t>(number);
    }
  }
  LogField(absl::string_view field, double number) : name(field), value(number) {}

  absl::string_view name;
  Value value;
};

// Logs one event with fields; `message` is taken as it is. What has none is logged by
// spdlog::info() and its like, which come out in the same format. Any thread.
void Log(spdlog::level::level_enum level, absl::string_view message,
         std::initializer_list<LogField> fields);

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
