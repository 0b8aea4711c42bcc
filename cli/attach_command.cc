// rawgate attach.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/display_text.h"
#include "cli/remote_command.h"
#include "rawgate/exec/v1/exec_service.grpc.pb.h"

namespace rawgate::cli {
namespace {

using exec::v1::AttachRequest;
using exec::v1::AttachResponse;
using exec::v1::ExecService;

constexpr char kName[] = "attach";

struct AttachOptions {
  std::string id;
  bool only_new = false;
};

absl::StatusOr<AttachRequest> MakeRequest(const AttachOptions& options, ExecService::Stub& stub) {
  AttachRequest request;
  request.set_job_id(options.id);
  if (!options.only_new) return request;
  exec::v1::GetJobRequest get;
  get.set_job_id(options.id);
  const auto response = Call(stub, &ExecService::Stub::GetJob, get);
  if (!response.ok()) return response.status();
  request.set_stdout_offset(response->job().standard_output().size());
  request.set_stderr_offset(response->job().standard_error().size());
  return request;
}

void TellMissing(uint64_t wanted, uint64_t first, absl::string_view stream,
                 const Console& console) {
  if (first <= wanted) return;
  Tell(console, kName, absl::StrCat(HumanSize(first - wanted), " of ", stream, " no longer kept"));
}

absl::StatusOr<int> Attach(const AttachOptions& options, Context& context) {
  const auto stub = context.gateway.Stub<ExecService>();
  const absl::StatusOr<AttachRequest> request = MakeRequest(options, *stub);
  if (!request.ok()) return request.status();
  grpc::ClientContext call;
  const Interrupt::Scope cancelled(context.interrupt, [&call] { call.TryCancel(); });
  const auto reader = stub->Attach(&call, *request);
  const std::function<void(const AttachResponse&)> on_begin = [&](const AttachResponse& response) {
    if (!response.has_attached()) return;
    TellMissing(request->stdout_offset(), response.attached().stdout_offset(),
                "standard output are", context.console);
    TellMissing(request->stderr_offset(), response.attached().stderr_offset(), "standard error are",
                context.console);
  };
  const CommandEnd end = Follow(*reader, call, context.console, on_begin);
  if (!end.outcome && context.interrupt.signal() != 0) {
    Tell(context.console, kName,
         absl::StrCat("left; the job goes on, 'rawgate kill ", Printable(options.id), "' ends it"));
  }
  return Conclude(end, kName, context.console);
}

constexpr char kExamples[] =
    R"(Examples:
  rawgate attach 5f0c7a21-42          all that is kept, then what comes
  rawgate attach --new 5f0c7a21-42    only what comes from now on

The ID is the one that 'rawgate jobs' shows. Output comes as from 'rawgate
run'; how much of it is no longer kept is told on standard error. Any number
may be attached to a job.

Ctrl-C leaves, and the job goes on: the exit code is 130, as after Ctrl-C in
any program that follows something. 'rawgate kill' ends the job.

)";

}  // namespace

void AddAttachCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<AttachOptions>();
  CLI::App* attach = app.add_subcommand(kName, "Follow a job to its end");
  attach->group(kOperationsGroup)->footer(absl::StrCat(kExamples, kExitCodesHelp));
  attach->add_option("ID", options->id, "Which job")->required();
  attach->add_flag("--new", options->only_new, "Leave out what it has written before");
  attach->callback([&chosen, options] {
    chosen.failure_exit_code = kExitOurFailure;
    chosen.run = [options](Context& context) { return Attach(*options, context); };
  });
}

}  // namespace rawgate::cli
