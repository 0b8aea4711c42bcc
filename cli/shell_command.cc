// rawgate shell.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/interaction.h"
#include "cli/remote_command.h"
#include "cli/run_request.h"

namespace rawgate::cli {
namespace {

constexpr char kName[] = "shell";

exec::v1::RunRequest MakeRequest(const CommandOptions& options,
                                 const std::vector<std::string>& words) {
  exec::v1::RunRequest request = MakeRunRequest(options);
  // Not $SHELL, which is that of this side's user.
  SetWords(words.empty() ? std::vector<std::string>{"/bin/sh", "-i"} : words, request);
  return request;
}

constexpr char kExamples[] =
    R"(Examples:
  rawgate shell                       /bin/sh -i
  rawgate shell -- bash -l            another shell, or any other program
  rawgate shell --timeout 1h          else the service's limit for commands
  rawgate shell --env EDITOR=vi --cwd /tmp

The same as 'rawgate run --terminal': the shell has a terminal as large as
this one, and every key goes to it, Ctrl-C too. It ends when it exits, as after
Ctrl-D, and with everything it started when this side goes.

)";

}  // namespace

void AddShellCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<CommandOptions>();
  CLI::App* shell = app.add_subcommand(kName, "Work at a shell on the far side");
  shell->group(kOperationsGroup)->footer(absl::StrCat(kExamples, kExitCodesHelp));
  AddCommandOptions(*shell, *options);
  // For the help alone: the words never pass through the parser.
  shell->add_option("COMMAND", "What to run in place of /bin/sh -i")->expected(0, 1 << 20);
  shell->callback([&chosen, options] {
    chosen.failure_exit_code = kExitOurFailure;
    chosen.run = [request = MakeRequest(*options, chosen.words)](Context& context) {
      return InteractAtTerminal(request, kName, context);
    };
  });
}

}  // namespace rawgate::cli
