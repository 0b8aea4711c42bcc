// What `rawgate run`, `shell` and `attach` have in common: they pass on what a command writes, and
// its outcome becomes their exit code.
#pragma once

#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/console.h"
#include "grpcpp/grpcpp.h"
#include "rawgate/exec/v1/outcome.pb.h"
#include "rawgate/exec/v1/output.pb.h"
#include "runtime/rpc/status.h"

namespace rawgate::cli {

// When rawgate itself failed, as ssh(1) has it.
inline constexpr int kExitOurFailure = 255;

// For the help of each.
inline constexpr char kExitCodesHelp[] =
    R"(Exit codes: the command's own; 128+N when signal N ended it; 124 when its time
was up; 126 when it could not be started, 127 when it was not found; 255 when
rawgate failed.)";

// How following a command ended.
struct CommandEnd {
  // Of the call, or why output could not be passed on.
  absl::Status status;
  // Absent: unknown, whatever `status` says.
  std::optional<exec::v1::Outcome> outcome;
};

// To standard output or standard error, byte for byte. Errors: those of Console::Out.
absl::Status PassOn(const exec::v1::Output& output, const Console& console);

// Reads `stream`, which is that of `call`, to its end and finishes it. Output is passed on as it
// comes; where that fails the call is cancelled. `on_begin` is given what is neither output nor
// outcome: `started`, or `attached`.
template <typename Response, typename Stream>
CommandEnd Follow(Stream& stream, grpc::ClientContext& call, const Console& console,
                  const std::function<void(const Response&)>& on_begin) {
  CommandEnd end;
  Response response;
  while (end.status.ok() && stream.Read(&response)) {
    if (response.has_output()) {
      end.status = PassOn(response.output(), console);
    } else if (response.has_outcome()) {
      end.outcome = response.outcome();
    } else {
      on_begin(response);
    }
  }
  if (!end.status.ok()) call.TryCancel();
  const grpc::Status status = stream.Finish();
  if (end.status.ok() && !status.ok()) end.status = rpc::FromGrpc(status);
  return end;
}

// The exit code of `rawgate NAME` for a command that ended so. Whatever is not the command's own
// doing is told on standard error. Errors: that of `end` when the outcome is unknown, or
// OUTCOME_UNKNOWN.
absl::StatusOr<int> Conclude(const CommandEnd& end, absl::string_view name, const Console& console);

// "rawgate NAME: WHAT" on standard error.
void Tell(const Console& console, absl::string_view name, absl::string_view what);

}  // namespace rawgate::cli
