// What contexts there are: rawgate context list, show.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "cli/command.h"
#include "cli/output_format.h"

namespace rawgate::cli {

// All of them, with a mark at the one that commands use now, whoever says so. Returns the exit
// code. Errors: those of LoadForEdit() and Console::Out.
absl::StatusOr<int> ListContexts(OutputFormat format, const Context& context);

// The one called `asked`; the one in use when that is empty. Errors: as ListContexts(), and
// NOT_FOUND (CONTEXT_NOT_FOUND).
absl::StatusOr<int> ShowContext(const std::string& asked, OutputFormat format,
                                const Context& context);

}  // namespace rawgate::cli
