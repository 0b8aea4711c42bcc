// How a command prints data: for people, for scripts, or for programs.
#pragma once

#include <cstdint>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rawgate::cli {

enum class OutputFormat {
  kText,
  // One record a line, fields separated by one tab, no heading: for cut(1) and awk(1).
  kPlain,
  // As the API's protos have it in JSON, or as docs/cli.md describes it.
  kJson,
};

// How a cell has it: for people ("2m ago", "1.5 KiB"), or with kPlain as it is (RFC 3339 in UTC;
// bytes; seconds).
std::string AgeCell(absl::Time time, absl::Time now, OutputFormat format);
std::string TimeCell(absl::Time time, OutputFormat format);
std::string SizeCell(uint64_t bytes, OutputFormat format);
std::string DurationCell(absl::Duration duration, OutputFormat format);

// --json and --plain, of which at most one may be given. `what` is printed: "a
// ListServicesResponse". `format` outlives `app`.
void AddOutputFormat(CLI::App& app, OutputFormat& format, const std::string& what);
// --json alone, for what is no table.
void AddJsonFormat(CLI::App& app, OutputFormat& format, const std::string& what);

// Whether `command` was given its --json.
bool IsJson(const CLI::App& command);

// As if the command that `app` has parsed had been given --plain or --json, if it has that option,
// none of both was there and nothing that excludes it. `value` is that of the setting "output".
void ApplyOutputFormat(CLI::App& app, absl::string_view value);

}  // namespace rawgate::cli
