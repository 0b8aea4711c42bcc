// `rawgate` as a whole: from the words of the command line to an exit code.
#pragma once

#include <string>
#include <vector>

#include "cli/console.h"
#include "cli/interrupt.h"

namespace rawgate::cli {

// Runs the command that `words` (without the program's name) asks for. Returns its exit code: 0, 1
// on failure, 2 when the words make no sense; `run`, `shell` and `attach` have their
// own.
int RunCommandLine(std::vector<std::string> words, Console& console, Interrupt& interrupt);

}  // namespace rawgate::cli
