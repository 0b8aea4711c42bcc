// Manual pages, made of what --help is made of.
#pragma once

#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/string_view.h"

namespace rawgate::cli {

// "rawgate", "rawgate-put", "rawgate-context-add": the name of the command's page.
std::string ManPageName(const CLI::App& command);

// The page of `command` for section 1, in man(7) macros, ASCII but for what descriptions have.
// `version` is the program's; `date` is shown as it is, "2026-11-27".
std::string ManPage(const CLI::App& command, absl::string_view version, absl::string_view date);

}  // namespace rawgate::cli
