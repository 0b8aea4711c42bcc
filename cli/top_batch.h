// One snapshot of `rawgate top` as text.
#pragma once

#include <string>

#include "cli/top_data.h"
#include "cli/top_list.h"

namespace rawgate::cli {

// A line with the time, the table, and an empty line. All columns, unless the lines go to a
// terminal with so many `columns`: then those that the screen would show.
std::string TopText(const TopData& data, const TopOrder& order, int columns = 0);

// A line for each row: time (RFC 3339) and all columns, separated by tabs. Numbers are whole, or
// have three decimals: bytes, seconds, or how many a second; empty where they are not known.
std::string TopPlainText(const TopData& data, const TopOrder& order);

// One line: {"time": ..., "services": [{"name", "instance", "address", "state", "lastError",
// "openConnections", "requestsPerSecond", "errorsPerSecond", "bytesReceivedPerSecond",
// "bytesSentPerSecond", "requests", "errors", "bytesReceived", "bytesSent", "drops", "listeners":
// [the same, where "address" is that of clients, and "faults" as in the API, if any]}]}. Rates are
// null where they are not known yet.
std::string TopJsonLine(const TopData& data, const TopOrder& order);

}  // namespace rawgate::cli
