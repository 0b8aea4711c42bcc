// The transfers of one command, several at once.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "cli/command.h"
#include "cli/output_format.h"
#include "cli/transfer.h"

namespace rawgate::cli {

inline constexpr int kParallelDefault = 4;
inline constexpr int kParallelMax = 16;

struct TransferCommand {
  // "put" or "get", and what is said of a file that was moved.
  absl::string_view name;
  absl::string_view moved;
  int parallel = kParallelDefault;
  bool quiet = false;
  OutputFormat format = OutputFormat::kText;
  TransferOptions options = {};
};

// Moves one file; called by several threads at once.
using TransferOne =
    std::function<absl::StatusOr<Transferred>(const Transfer& transfer, TransferContext& context)>;

// Moves all files of `plan`. For each that is moved "SHA-256  NAME", or a JSON object, goes to
// standard output, for each that fails a line to standard error, and so does, when there are
// several and no JSON is asked for, a summary. One that fails does not stop the others, unless the
// far side is not there any more. Returns the exit code. Errors: that of the only file; those of
// Console::Out.
absl::StatusOr<int> RunTransfers(const TransferCommand& command, const TransferPlan& plan,
                                 const TransferOne& move, Context& context);

}  // namespace rawgate::cli
