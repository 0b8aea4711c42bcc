// The options that `rawgate put` and `rawgate get` have in common.
#pragma once

#include "CLI/CLI.hpp"
#include "cli/transfer_pool.h"

namespace rawgate::cli {

// Adds --resume, --no-resume, --checksum, --retries, -j, -q and --json to `app`; `command` outlives
// it.
void AddTransferOptions(CLI::App& app, TransferCommand& command);

}  // namespace rawgate::cli
