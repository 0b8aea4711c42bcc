// Where in a command line somebody asks for completion: rawgate complete.
#pragma once

#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "cli/config_file.h"

namespace rawgate::cli {

struct CompletionPoint {
  // The command that the words before have come to; the program itself at first.
  const CLI::App* command = nullptr;
  // The option whose value is wanted, or the argument (a positional option); null where a command's
  // name is, or nothing more.
  const CLI::Option* option = nullptr;
  // What is typed of the word, without the "--name=" before a value.
  std::string typed;
  // That part: candidates have it in front, since shells replace whole words.
  std::string before;
  // Options are wanted: the word begins with '-', and nothing says it is something else.
  bool wants_options = false;
  // Words that were given before as arguments of the command.
  std::vector<std::string> arguments;
  // Values of global options that were typed, by the names of settings.
  SettingValues settings;
};

// `words` are those after the program's name, the last of which, maybe empty, is the one to be
// completed. All commands and options are in `app`.
CompletionPoint FindCompletionPoint(const CLI::App& app, const std::vector<std::string>& words);

}  // namespace rawgate::cli
