// JSON that is no message of the API's.
#pragma once

#include <string>

#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rawgate::cli {

// On one line, or indented over several with what is empty or no object or array on one; a newline
// at the end either way. Safe for a terminal: characters that could act on one are escaped, as
// protobuf does it in what proto_text.h prints.
std::string JsonLine(const boost::json::value& value);
std::string JsonText(const boost::json::value& value);

// `text`, as Printable() has it where it is not UTF-8.
boost::json::string JsonString(absl::string_view text);
// "1.500s", "0.000250s": as google.protobuf.Duration is printed.
boost::json::string JsonDuration(absl::Duration duration);
// RFC 3339 in UTC, "2026-11-27T16:20:54.25Z".
boost::json::string JsonTime(absl::Time time);

}  // namespace rawgate::cli
