// What people are told when something fails.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace rawgate::cli {

// Exit codes; those of commands of the far side are in remote_command.cc.
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;

// One line without its newline: what failed, why, and what to do about it, such as
// "rawgate get: no such file: a.txt. 'rawgate ls' lists what is there." `command` is as typed,
// `target` the gateway's address. Safe for a terminal whatever the far side sent.
std::string Explain(absl::string_view command, const absl::Status& status,
                    absl::string_view target);

}  // namespace rawgate::cli
