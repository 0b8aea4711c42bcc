// What people are told whose command line makes no sense, and what they may have meant.
#pragma once

#include <string>
#include <vector>

#include "CLI/CLI.hpp"

namespace rawgate::cli {

// The command that `app` has parsed, or has begun to: "context add" has "add". `app` itself when
// there was none.
const CLI::App& ParsedCommand(const CLI::App& app);

// Its name with those of the commands that it belongs to: "context add". Empty for `app`.
std::string CommandPath(const CLI::App& app);

// The command that `app` has under `name`, also one that the help does not show; or null.
const CLI::App* FindCommand(const CLI::App& app, const std::string& name);

// The command that `words` name, from `app` down. Throws CLI::ValidationError, with
// NoSuchCommand(), where there is none.
const CLI::App& FindCommandPath(const CLI::App& app, const std::vector<std::string>& words);

// "no such command: sart. Did you mean start?" `word` was to be one of `app`, which has commands.
std::string NoSuchCommand(const CLI::App& app, const std::string& word);

// The sentence about `error`, which parsing threw: without the command's name, with a suggestion
// where a word is near to one that is known. Safe for a terminal.
std::string UsageMessage(const CLI::App& app, const CLI::ParseError& error);

}  // namespace rawgate::cli
