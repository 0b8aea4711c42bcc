// A command that is talked to while it runs: `rawgate run` with input, `run -t` and `shell`.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/command.h"
#include "rawgate/exec/v1/exec_service.pb.h"

namespace rawgate::cli {

// Runs `request` for `rawgate NAME`; standard input goes to the command as it comes, from its start
// to its end. Returns the exit code as Conclude() has it, without waiting for input that the
// command did not want.
absl::StatusOr<int> Interact(const exec::v1::RunRequest& request, absl::string_view name,
                             Context& context);

// The same with a terminal for the command, as large as ours and of the same type, whose keys all
// go to the command. Errors also: FAILED_PRECONDITION (NOT_A_TERMINAL) when standard input is none.
absl::StatusOr<int> InteractAtTerminal(exec::v1::RunRequest request, absl::string_view name,
                                       Context& context);

}  // namespace rawgate::cli
