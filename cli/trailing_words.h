// The free words of `rawgate run`, `shell` and `echo`, kept away from the option parser.
#pragma once

#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/string_view.h"

namespace rawgate::cli {

// For a command line whose subcommand is one of `subcommands`: cuts off and returns everything that
// follows its options, from the first word that is no option, as ssh(1) and env(1) do, or after
// "--". So `rawgate run ls -l` needs no "--", and the parser, which takes words such as "[a,b]"
// apart, never sees them. For every other subcommand `words` stay whole.
std::vector<std::string> TakeTrailingWords(const CLI::App& app,
                                           const std::vector<absl::string_view>& subcommands,
                                           std::vector<std::string>& words);

}  // namespace rawgate::cli
