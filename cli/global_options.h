// The options that every command takes, before its name or after it.
#pragma once

#include "CLI/CLI.hpp"
#include "cli/config_file.h"

namespace rawgate::cli {

// --gateway, --context, --token-file, --tls-ca, --tls-certificate, --tls-key and --no-color, for
// `app` and all its commands, which are there already; a command that has one of that name for
// itself keeps it. What is typed goes to `values`, by the names of settings; it outlives `app`.
void AddGlobalOptions(CLI::App& app, SettingValues& values);

// Whether `option`, of a command, is one that AddGlobalOptions() has added.
bool IsGlobalOption(const CLI::Option& option);

}  // namespace rawgate::cli
