// What may stand at a point of a command line.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "cli/completion_point.h"
#include "cli/live_names.h"

namespace rawgate::cli {

struct Candidates {
  // Whole words, those that begin with what is typed.
  std::vector<LiveName> words;
  // Files of this machine are among them; the shell knows these.
  bool local_files = false;
};

// Null when the gateway cannot be reached.
using Names = std::function<const LiveNames*()>;

// Names of the far side are asked for through `live`, and only where they are wanted; `contexts`
// are those of the configuration file.
Candidates CandidatesAt(const CompletionPoint& point, const CLI::App& app,
                        const std::vector<std::string>& contexts, const Names& live);

}  // namespace rawgate::cli
