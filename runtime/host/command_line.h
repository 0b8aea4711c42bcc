// Where the flags of a process come from: the command line, RAWGATE_<FLAG> in the environment,
// --flagfile, and their defaults, in that order of precedence.
#pragma once

#include <string>
#include <vector>

namespace rawgate::host {

// For wrong flags and arguments.
inline constexpr int kUsageError = 2;

// Sets the flags, and returns the arguments that are none. `usage` is what --help says before it
// tells of flags. With --help, and with flags that make no sense, the process ends here, with 0 and
// kUsageError. Once, before there are threads.
std::vector<std::string> ParseCommandLine(int argc, char** argv, const std::string& usage);

}  // namespace rawgate::host
