// Text for people. Everything that came from the far side passes through here before it reaches a
// terminal: a peer must not be able to move the cursor, change colours or forge lines.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rawgate::cli {

// `bytes` with everything but printable UTF-8 shown as an escape: \n \r \t, other control bytes and
// bytes that are no UTF-8 as \xNN, control and direction-changing code points as \u{NNNN}. The
// result is valid UTF-8 on one line. Marks combine with a letter before them and are escaped
// without one; of joiners those stay that hold an emoji or a word together. A backslash stays as it
// is: see Quoted() where it matters.
std::string Printable(absl::string_view bytes);

// Takes the first character, as people see it, off `rest`, which is not empty, and returns how
// Printable() shows it.
std::string TakeShown(absl::string_view& rest);

// Printable() of each line: newlines stay.
std::string PrintableLines(absl::string_view bytes);

// Bytes of `text` without the UTF-8 character at its end that is there in part only, if any.
size_t WholeCharacters(absl::string_view text);

// Whether `text` is UTF-8, which strings of the gRPC contract must be.
bool IsUtf8(absl::string_view text);

// As Printable(), in double quotes, with '"' and '\' escaped, so that two different inputs never
// look the same. At most `columns` wide (0: no limit, else at least 5), then cut and followed by
// "...".
std::string Quoted(absl::string_view bytes, int columns = 0);

// Columns that `text` (valid UTF-8 without control characters) takes on a terminal; where terminals
// differ, as with emoji that are joined, the most that one of them takes.
int DisplayWidth(absl::string_view text);

// Printable(), and when that is wider than `columns` (at least 3) "..." and its end, which of a
// name says more than its beginning.
std::string ShortenedFront(absl::string_view text, int columns);

// "312 B", "4.0 KiB", "12.5 MiB": at most 8 columns.
std::string HumanSize(uint64_t bytes);

// One or two units: "850us", "12ms", "3.2s", "5m12s", "2h5m", "3d4h". Negative is shown as "0s".
std::string HumanDuration(absl::Duration duration);

// "1 event", "2 events": `plural` when it is not the noun with an "s".
std::string Counted(uint64_t count, absl::string_view noun, absl::string_view plural = {});

// In the local time zone. "14:03:21.123"
std::string ClockTime(absl::Time time);
// "2025-11-23 14:03"
std::string DateAndTime(absl::Time time);

}  // namespace rawgate::cli
