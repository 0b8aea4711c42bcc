// rawgate run.
#include <sys/stat.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/display_text.h"
#include "cli/proto_text.h"
#include "rawgate/exec/v1/exec_service.grpc.pb.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using exec::v1::ExecService;

// As ssh(1), timeout(1) and shells have them.
constexpr int kExitOurFailure = 255;
constexpr int kExitTimedOut = 124;
constexpr int kExitCannotExecute = 126;
constexpr int kExitNotFound = 127;
constexpr int kExitSignalBase = 128;

constexpr size_t kStdinLimit = size_t{1024} * 1024;

struct RunOptions {
  std::string shell;
  std::string directory;
  std::vector<std::string> environment;
  absl::Duration timeout;
  bool no_stdin = false;
};

// A pipe, file or socket is meant for the command. A terminal is not: the far side takes the whole
// of its input at the start.
bool HasInput(const Console& console) {
  struct stat status {};
  if (::fstat(console.in(), &status) != 0) return false;
  return S_ISFIFO(status.st_mode) || S_ISREG(status.st_mode) || S_ISSOCK(status.st_mode);
}

// One argument with a blank or a character that means something to a shell is text for a shell.
bool IsShellText(const std::vector<std::string>& words) {
  return words.size() == 1 &&
         words[0].find_first_of(" \t\n|&;<>()$`\\\"'*?[]#~{}!") != std::string::npos;
}

// The request that the command line asks for, all but standard input.
exec::v1::RunRequest MakeRequest(const RunOptions& options, const std::vector<std::string>& words) {
  if (options.shell.empty() == words.empty()) {
    throw CLI::ValidationError(words.empty() ? "no command, such as: rawgate run -- uname -a"
                                             : "either --shell TEXT or a command, not both");
  }
  for (const std::string& word : words) CheckUtf8("COMMAND", word);
  exec::v1::RunRequest request;
  if (!options.shell.empty()) {
    request.set_shell_command(options.shell);
  } else if (IsShellText(words)) {
    request.set_shell_command(words[0]);
  } else {
    for (const std::string& word : words) request.mutable_argv()->add_arguments(word);
  }
  request.set_working_directory(options.directory);
  for (const std::string& assignment : options.environment) {
    const size_t equals = assignment.find('=');
    if (equals == 0 || equals == assignment.npos) {
      throw CLI::ValidationError(absl::StrCat("--env '", assignment, "' is no NAME=VALUE"));
    }
    auto* variable = request.add_environment();
    variable->set_name(assignment.substr(0, equals));
    variable->set_value(assignment.substr(equals + 1));
  }
  if (options.timeout > absl::ZeroDuration()) {
    *request.mutable_timeout() = ToProto(options.timeout);
  }
  return request;
}

void Tell(const Console& console, absl::string_view what) {
  console.Error(absl::StrCat("rawgate run: ", what, "\n"));
}

// The exit code for `outcome`; whatever is not the command's own doing is told on standard error.
int Conclude(const exec::v1::Outcome& outcome, const Console& console) {
  if (outcome.output_may_be_incomplete()) {
    Tell(console, "a process in the background still held the output; some may be missing");
  }
  switch (outcome.result_case()) {
    case exec::v1::Outcome::kExited:
      return outcome.exited().code();
    case exec::v1::Outcome::kSignalled:
      Tell(console,
           absl::StrCat("the command was ended by SIG", Printable(outcome.signalled().name()),
                        outcome.signalled().core_dumped() ? " (core dumped)" : ""));
      return kExitSignalBase + outcome.signalled().number();
    case exec::v1::Outcome::kTimedOut:
      Tell(console, absl::StrCat("the command was ended after its time limit of ",
                                 HumanDuration(ToDuration(outcome.timed_out().timeout())),
                                 "; --timeout sets another"));
      return kExitTimedOut;
    case exec::v1::Outcome::kCancelled:
      Tell(console, "the command was ended by the service");
      return kExitOurFailure;
    case exec::v1::Outcome::kStartFailed:
      Tell(console,
           absl::StrCat("cannot start the command: ", Printable(outcome.start_failed().message())));
      return outcome.start_failed().errno_value() == ENOENT ? kExitNotFound : kExitCannotExecute;
    case exec::v1::Outcome::kOutputLimit:
      Tell(console, absl::StrCat("the command was ended after ",
                                 HumanSize(outcome.output_limit().limit_bytes()),
                                 " of output, the service's limit"));
      return kExitOurFailure;
    case exec::v1::Outcome::RESULT_NOT_SET:
      break;
  }
  Tell(console, "the command ended in a way that this version does not know");
  return kExitOurFailure;
}

absl::Status PassOn(const exec::v1::Output& output, const Console& console) {
  if (output.stream() == exec::v1::OUTPUT_STREAM_STDERR) {
    console.Error(output.data());
    return absl::OkStatus();
  }
  return console.Out(output.data());
}

absl::StatusOr<int> Run(exec::v1::RunRequest request, bool no_stdin, Context& context) {
  if (!no_stdin && HasInput(context.console)) {
    absl::StatusOr<std::string> input = context.console.ReadAll(kStdinLimit, [&context] {
      Tell(context.console,
           "waiting for the end of standard input, with which the command begins; -n leaves it "
           "alone");
    });
    if (!input.ok()) return input.status();
    request.set_stdin(*std::move(input));
  }
  const auto stub = context.gateway.Stub<ExecService>();
  grpc::ClientContext call;
  // The far side ends the command and all its descendants when the call is cancelled.
  const Interrupt::Scope cancelled(context.interrupt, [&call] { call.TryCancel(); });
  const auto reader = stub->Run(&call, request);
  exec::v1::RunResponse response;
  exec::v1::Outcome outcome;
  bool has_outcome = false;
  while (reader->Read(&response)) {
    if (response.has_output()) {
      if (absl::Status written = PassOn(response.output(), context.console); !written.ok()) {
        call.TryCancel();
        return written;
      }
    } else if (response.has_outcome()) {
      outcome = response.outcome();
      has_outcome = true;
    }
  }
  const grpc::Status status = reader->Finish();
  // The outcome is the last word: what the transport did after it changes nothing.
  if (has_outcome) return Conclude(outcome, context.console);
  if (!status.ok()) return rpc::FromGrpc(status);
  return Error(
      absl::StatusCode::kUnknown, "OUTCOME_UNKNOWN",
      "the far side went without telling how the command ended; it may have done its work");
}

constexpr char kExamples[] =
    R"(Examples:
  rawgate run -- uname -a             a program and its arguments, no shell
  rawgate run -- 'ls /tmp | wc -l'    one argument with a blank or any of the
                                      shell's characters is for /bin/sh -c
  rawgate run --shell 'echo $HOME'    the same, said in so many words
  rawgate run -- wc -l < notes.txt    standard input goes along, up to 1 MiB
  rawgate run --timeout 5s --env LANG=C.UTF-8 --cwd /tmp -- sort -u names

Options come before the command; '--' may be left out. Standard output and
standard error come back apart, byte for byte. Ctrl-C ends the command on the
far side with everything it started.

Standard input, unless it is a terminal, is read to its end before the command
begins. Where nobody ends it, as in a loop or under cron, -n leaves it alone.

Exit codes: the command's own; 128+N when signal N ended it; 124 when its time
was up; 126 when it could not be started, 127 when it was not found; 255 when
rawgate failed.)";

}  // namespace

void AddRunCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<RunOptions>();
  CLI::App* run = app.add_subcommand("run", "Run a command on the far side");
  run->group(kOperationsGroup)->footer(kExamples);
  run->add_option("--shell", options->shell, "A line for /bin/sh -c, in place of COMMAND")
      ->type_name("TEXT");
  AddDurationOption(*run, "--timeout", options->timeout,
                    "End the command after TIME; else the service's\nlimit holds");
  run->add_option("--env", options->environment, "Set a variable for the command; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  run->add_option("--cwd", options->directory, "Run in this folder of the far side")
      ->type_name("FOLDER");
  run->add_flag("-n,--no-stdin", options->no_stdin,
                "Leave standard input alone: for loops that read");
  // For the help alone: the words never pass through the parser.
  run->add_option("COMMAND", "What to run, and its arguments")->expected(0, 1 << 20);
  run->callback([&chosen, options] {
    chosen.failure_exit_code = kExitOurFailure;
    chosen.run = [request = MakeRequest(*options, chosen.words), no_stdin = options->no_stdin](
                     Context& context) { return Run(request, no_stdin, context); };
  });
}

}  // namespace rawgate::cli
