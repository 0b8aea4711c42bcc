// rawgate help.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/command.h"
#include "cli/usage_error.h"

namespace rawgate::cli {
namespace {

constexpr char kExamples[] =
    R"(Examples:
  rawgate help                  all commands
  rawgate help put              as 'rawgate put --help'
  rawgate help context add)";

}  // namespace

void AddHelpCommand(CLI::App& app, Command& chosen) {
  const auto words = std::make_shared<std::vector<std::string>>();
  CLI::App* help = app.add_subcommand("help", "Tell of a command");
  help->group(kOtherGroup)->footer(kExamples);
  help->add_option("COMMAND", *words, "Which one; else all are listed");
  help->callback([&app, &chosen, words] {
    const CLI::App& command = FindCommandPath(app, *words);
    chosen.needs_gateway = false;
    chosen.run = [&command, words](Context& context) -> absl::StatusOr<int> {
      const std::string name =
          absl::StrCat("rawgate", words->empty() ? "" : " ", absl::StrJoin(*words, " "));
      // help() of one that was parsed, as 'rawgate help help' has it, would be that of its own.
      const std::string text =
          command.get_formatter()->make_help(&command, name, CLI::AppFormatMode::Normal);
      const absl::Status status = context.console.Out(text);
      if (!status.ok()) return status;
      return 0;
    };
  });
}

}  // namespace rawgate::cli
