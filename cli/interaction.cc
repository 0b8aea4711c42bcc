#include "cli/interaction.h"

#include <cstdlib>
#include <optional>

#include "absl/strings/str_cat.h"
#include "cli/display_text.h"
#include "cli/input_sender.h"
#include "cli/local_terminal.h"
#include "cli/remote_command.h"
#include "rawgate/exec/v1/exec_service.grpc.pb.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using exec::v1::InteractRequest;
using exec::v1::InteractResponse;

// `terminal` is null when there is none.
CommandEnd Converse(const exec::v1::RunRequest& request, LocalTerminal* terminal,
                    Context& context) {
  const auto stub = context.gateway.Stub<exec::v1::ExecService>();
  grpc::ClientContext call;
  // The far side ends the command and all its descendants when the call is cancelled.
  const Interrupt::Scope cancelled(context.interrupt, [&call] { call.TryCancel(); });
  const auto stream = stub->Interact(&call);
  InteractRequest first;
  *first.mutable_start() = request;
  // Should it fail, the end of the stream says why.
  stream->Write(first);
  InputSender input(*stream, call, context.console, terminal);
  const std::function<void(const InteractResponse&)> on_begin =
      [&](const InteractResponse& response) {
        if (!response.has_started()) return;
        // Not sooner: who waits for the command's turn can still press Ctrl-C, and the input of a
        // command that never starts is left to whoever is next.
        if (terminal != nullptr) terminal->EnterRawMode();
        input.Start();
      };
  CommandEnd end = Follow(*stream, call, context.console, on_begin);
  // There may be a write that waits for somebody to read.
  call.TryCancel();
  const absl::Status read = input.Stop();
  if (!read.ok() && !end.outcome) end.status = read;
  return end;
}

// That of the terminal we are at.
std::string TerminalType() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing changes it
  const char* type = std::getenv("TERM");
  return type != nullptr && IsUtf8(type) ? type : "";
}

}  // namespace

absl::StatusOr<int> Interact(const exec::v1::RunRequest& request, absl::string_view name,
                             Context& context) {
  return Conclude(Converse(request, nullptr, context), name, context.console);
}

absl::StatusOr<int> InteractAtTerminal(exec::v1::RunRequest request, absl::string_view name,
                                       Context& context) {
  if (!context.console.InputIsTerminal()) {
    return Error(absl::StatusCode::kFailedPrecondition, "NOT_A_TERMINAL",
                 "standard input is no terminal, whose keys would go to the command's. 'rawgate "
                 "run' without --terminal takes a pipe or a file");
  }
  std::optional<LocalTerminal> terminal;
  terminal.emplace(context.console.in(), context.interrupt);
  *request.mutable_terminal()->mutable_size() = terminal->Size();
  request.mutable_terminal()->set_type(TerminalType());
  const CommandEnd end = Converse(request, &*terminal, context);
  // What is told now needs the terminal in the mode of before.
  terminal.reset();
  return Conclude(end, name, context.console);
}

}  // namespace rawgate::cli
