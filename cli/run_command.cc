// rawgate run.
#include <sys/stat.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/display_text.h"
#include "cli/interaction.h"
#include "cli/output_format.h"
#include "cli/proto_text.h"
#include "cli/remote_command.h"
#include "cli/run_request.h"
#include "rawgate/exec/v1/exec_service.grpc.pb.h"

namespace rawgate::cli {
namespace {

using exec::v1::ExecService;
using exec::v1::RunRequest;
using exec::v1::RunResponse;

constexpr char kName[] = "run";

// What a request can carry.
constexpr size_t kStdinLimit = size_t{1024} * 1024;

struct RunOptions {
  CommandOptions command;
  std::string shell;
  bool no_stdin = false;
  bool terminal = false;
  bool detach = false;
  bool keep_last = false;
  OutputFormat format = OutputFormat::kText;
};

// A pipe, file or socket is meant for the command. A terminal is not, unless the command gets one.
bool HasInput(const Console& console) {
  struct stat status {};
  if (::fstat(console.in(), &status) != 0) return false;
  return S_ISFIFO(status.st_mode) || S_ISREG(status.st_mode) || S_ISSOCK(status.st_mode);
}

// The request that the command line asks for, all but standard input.
RunRequest MakeRequest(const RunOptions& options, const std::vector<std::string>& words) {
  if (options.shell.empty() == words.empty()) {
    throw CLI::ValidationError(words.empty() ? "no command, such as: rawgate run -- uname -a"
                                             : "either --shell TEXT or a command, not both");
  }
  RunRequest request = MakeRunRequest(options.command);
  if (options.shell.empty()) {
    SetWords(words, request);
  } else {
    request.set_shell_command(options.shell);
  }
  if (options.keep_last) request.set_output_policy(exec::v1::OUTPUT_POLICY_KEEP_LAST);
  return request;
}

// Without standard input.
absl::StatusOr<int> RunAlone(const RunRequest& request, Context& context) {
  const auto stub = context.gateway.Stub<ExecService>();
  grpc::ClientContext call;
  // The far side ends the command and all its descendants when the call is cancelled.
  const Interrupt::Scope cancelled(context.interrupt, [&call] { call.TryCancel(); });
  const auto reader = stub->Run(&call, request);
  const std::function<void(const RunResponse&)> on_begin = [](const RunResponse&) {};
  return Conclude(Follow(*reader, call, context.console, on_begin), kName, context.console);
}

// Leaves as soon as the command has started, and prints its id.
absl::StatusOr<int> StartDetached(RunRequest request, OutputFormat format, Context& context) {
  request.set_on_disconnect(exec::v1::ON_DISCONNECT_KEEP);
  const auto stub = context.gateway.Stub<ExecService>();
  grpc::ClientContext call;
  const Interrupt::Scope cancelled(context.interrupt, [&call] { call.TryCancel(); });
  const auto reader = stub->Run(&call, request);
  CommandEnd end;
  RunResponse response;
  while (!end.outcome && reader->Read(&response)) {
    // Without a process the start has failed, and the outcome tells why.
    if (response.has_started() && response.started().pid() != 0) {
      call.TryCancel();
      const absl::Status written =
          context.console.Out(format == OutputFormat::kJson
                                  ? JsonText(response.started())
                                  : absl::StrCat(Printable(response.started().job_id()), "\n"));
      if (!written.ok()) return written;
      return 0;
    }
    if (response.has_outcome()) end.outcome = response.outcome();
  }
  if (!end.outcome) {
    end.status = rpc::FromGrpc(reader->Finish());
    if (context.interrupt.signal() != 0) {
      Tell(context.console, kName,
           "left before the command's turn came; it may start yet, 'rawgate jobs' shows it");
    }
  }
  return Conclude(end, kName, context.console);
}

// Nobody is there to send input later: all of it goes along with the request.
absl::Status AddInput(RunRequest& request, const Console& console) {
  absl::StatusOr<std::string> input = console.ReadAll(kStdinLimit, [&console] {
    Tell(console, kName,
         "waiting for the end of standard input, with which the command begins; -n leaves it "
         "alone");
  });
  if (!input.ok()) return input.status();
  request.set_stdin(*std::move(input));
  return absl::OkStatus();
}

absl::StatusOr<int> Run(RunRequest request, const RunOptions& options, Context& context) {
  if (options.terminal) return InteractAtTerminal(std::move(request), kName, context);
  const bool has_input = !options.no_stdin && HasInput(context.console);
  if (options.detach) {
    const absl::Status added = has_input ? AddInput(request, context.console) : absl::OkStatus();
    if (!added.ok()) return added;
    return StartDetached(std::move(request), options.format, context);
  }
  return has_input ? Interact(request, kName, context) : RunAlone(request, context);
}

constexpr char kExamples[] =
    R"(Examples:
  rawgate run -- uname -a             a program and its arguments, no shell
  rawgate run -- 'ls /tmp | wc -l'    one argument with a blank or any of the
                                      shell's characters is for /bin/sh -c
  rawgate run --shell 'echo $HOME'    the same, said in so many words
  tail -f app.log | rawgate run -- grep --line-buffered ERROR
  rawgate run --timeout 5s --env LANG=C.UTF-8 --cwd /tmp -- sort -u names
  rawgate run -t -- top               at a terminal of its own
  job=$(rawgate run --detach -- make) it goes on; 'rawgate attach' shows it
  rawgate run --keep-last -- ping localhost

Options come before the command; '--' may be left out. Standard output and
standard error come back apart, byte for byte. Ctrl-C ends the command on the
far side with everything it started.

Standard input, unless it is a terminal, goes to the command as it comes. In a
loop that reads, -n leaves it to the loop. With --detach it is read to its end
first, up to 1 MiB.

With -t the command's output is that of its terminal, and every key goes to
it, Ctrl-C too; 'rawgate kill' from elsewhere ends it all the same.

)";

void AddOptions(CLI::App& run, RunOptions& options) {
  run.add_option("--shell", options.shell, "A line for /bin/sh -c, in place of COMMAND")
      ->type_name("TEXT");
  AddCommandOptions(run, options.command);
  CLI::Option* no_stdin = run.add_flag("-n,--no-stdin", options.no_stdin,
                                       "Leave standard input alone: for loops that read");
  CLI::Option* terminal = run.add_flag("-t,--terminal", options.terminal,
                                       "Give the command a terminal, as large as this one");
  CLI::Option* detach = run.add_flag("--detach", options.detach,
                                     "Print the job's id once it runs, and leave it alone");
  AddJsonFormat(run, options.format, "with --detach a Started");
  run.get_option("--json")->needs(detach);
  terminal->excludes(no_stdin)->excludes(detach);
  run.add_flag("--keep-last", options.keep_last,
               "Let it write without end; only the last of its\noutput is kept for others");
}

}  // namespace

void AddRunCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<RunOptions>();
  CLI::App* run = app.add_subcommand(kName, "Run a command on the far side");
  run->group(kOperationsGroup)->footer(absl::StrCat(kExamples, kExitCodesHelp));
  AddOptions(*run, *options);
  // For the help alone: the words never pass through the parser.
  run->add_option("COMMAND", "What to run, and its arguments")->expected(0, 1 << 20);
  run->callback([&chosen, options] {
    chosen.failure_exit_code = kExitOurFailure;
    chosen.run = [options, request = MakeRequest(*options, chosen.words)](Context& context) {
      return Run(request, *options, context);
    };
  });
}

}  // namespace rawgate::cli
