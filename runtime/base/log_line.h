// How one event of the log is written: as text for people, or as a JSON object. Both are one line
// without bytes that a terminal or a reader of lines acts on.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "runtime/base/log.h"

namespace rawgate {

struct LogEvent {
  absl::Time time;
  absl::string_view level;
  absl::string_view program;
  absl::string_view message;
  absl::Span<const LogField> fields;
};

// More of a message, or of one field, is cut off, and the number of bytes that are missing told.
inline constexpr size_t kLogTextBytesMax = 16 << 10;

// In both formats control characters, line separators, marks that change the direction of text, and
// bytes that are not UTF-8 are escaped: \n, \u0085, \xff. Neither appends a line feed.

// "TIME LEVEL PROGRAM: MESSAGE NAME=VALUE NAME="VALUE WITH SPACES"".
std::string TextLine(const LogEvent& event);
// {"time":...,"level":...,"program":...,"message":...,NAME:VALUE,...}: always valid JSON, in UTF-8.
std::string JsonLine(const LogEvent& event);

}  // namespace rawgate
