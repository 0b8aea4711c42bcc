// How a command prints data: for people, for scripts, or for programs.
#pragma once

#include <string>

#include "CLI/CLI.hpp"

namespace rawgate::cli {

enum class OutputFormat {
  kText,
  // One record a line, fields separated by one tab, no heading: for cut(1) and awk(1).
  kPlain,
  // As the API's protos have it in JSON, or as docs/cli.md describes it.
  kJson,
};

// --json and --plain, of which at most one may be given. `what` is printed: "a
// ListServicesResponse". `format` outlives `app`.
void AddOutputFormat(CLI::App& app, OutputFormat& format, const std::string& what);
// --json alone, for what is no table.
void AddJsonFormat(CLI::App& app, OutputFormat& format, const std::string& what);

}  // namespace rawgate::cli
