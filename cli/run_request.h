// What `rawgate run` and `rawgate shell` say about a command on the command line, as a request.
#pragma once

#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/time/time.h"
#include "rawgate/exec/v1/exec_service.pb.h"

namespace rawgate::cli {

struct CommandOptions {
  std::string directory;
  std::vector<std::string> environment;
  absl::Duration timeout;
};

// Adds --timeout, --env and --cwd to `app`; `options` outlives it.
void AddCommandOptions(CLI::App& app, CommandOptions& options);

// The request for these options, with a request_id of its own and without a command. Throws
// CLI::ValidationError for what is no NAME=VALUE.
exec::v1::RunRequest MakeRunRequest(const CommandOptions& options);

// What `request` runs: a program and its arguments; but one word with a blank or a character that
// means something to a shell is text for a shell. Throws CLI::ValidationError for a word that is
// not UTF-8.
void SetWords(const std::vector<std::string>& words, exec::v1::RunRequest& request);

}  // namespace rawgate::cli
