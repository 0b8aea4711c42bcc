// What was meant perhaps, where the far side knows no such name.
#pragma once

#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "cli/gateway.h"

namespace rawgate::cli {

// " Did you mean echo?", where `status` says that `command`, which was parsed, named a service, a
// listener or a file that is not there, and the gateway knows one that is near to it; else empty.
// Asks the gateway, for a second at most.
std::string SuggestName(const CLI::App& command, const absl::Status& status,
                        const Gateway& gateway);

}  // namespace rawgate::cli
