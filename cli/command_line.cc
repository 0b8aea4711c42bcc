#include "cli/command_line.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/global_options.h"
#include "cli/help.h"
#include "cli/name_suggestion.h"
#include "cli/output_format.h"
#include "cli/security.h"
#include "cli/settings.h"
#include "cli/shielded_words.h"
#include "cli/trailing_words.h"
#include "cli/usage_error.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

constexpr char kExamples[] =
    R"(Examples:
  rawgate ps                           what is running, and where
  rawgate watch --chunks               see every connection and every read
  rawgate run -- uname -a              run a command on the far side
  rawgate shell                        work there; 'jobs' shows what runs
  rawgate put notes.txt                store a file; get fetches it
  rawgate --gateway lab:50051 ps       a gateway elsewhere

'rawgate COMMAND --help' tells more, with examples; 'man rawgate' and
docs/cli.md have it all. Options may stand before the command or after it.
Exit codes: 0 done, 1 failed, 2 wrong usage; run, shell and attach have their
own.)";

void AddCommands(CLI::App& app, Command& chosen) {
  AddServiceCommands(app, chosen);
  AddTopCommand(app, chosen);
  AddWatchCommand(app, chosen);
  AddLabCommand(app, chosen);
  AddConnectionCommands(app, chosen);
  AddEchoCommand(app, chosen);
  AddRunCommand(app, chosen);
  AddShellCommand(app, chosen);
  AddJobCommands(app, chosen);
  AddAttachCommand(app, chosen);
  AddDateCommand(app, chosen);
  AddTestClockCommand(app, chosen);
  AddFaultCommand(app, chosen);
  AddChatCommand(app, chosen);
  AddPutCommand(app, chosen);
  AddGetCommand(app, chosen);
  AddFileCommands(app, chosen);
  AddFileChangeCommands(app, chosen);
  AddUploadsCommand(app, chosen);
  AddCallCommand(app, chosen);
  AddDoctorCommand(app, chosen);
  AddBenchCommand(app, chosen);
  AddInitTlsCommand(app, chosen);
  AddNewTokenCommand(app, chosen);
  AddContextCommands(app, chosen);
  AddConfigCommands(app, chosen);
  AddCompletionCommands(app, chosen);
  AddManCommand(app, chosen);
  AddVersionCommand(app, chosen);
  AddHelpCommand(app, chosen);
}

// What goes to the far side goes as text. Files of this side may be called anything.
void CheckText(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_name() == kLocalFile || option->get_type_name() == kLocalFile) continue;
    for (const std::string& value : option->results()) CheckUtf8(option->get_name(), value);
  }
  for (const CLI::App* subcommand : app.get_subcommands()) CheckText(*subcommand);
}

bool Contains(const std::vector<std::string>& words, absl::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string SeeHelp(const std::string& path) {
  return absl::StrCat(" See 'rawgate", path.empty() ? "" : " ", path, " --help'.");
}

int ReportUsage(const CLI::App& app, const CLI::ParseError& error,
                const std::vector<std::string>& words, const Console& console) {
  if (error.get_exit_code() == 0) {
    // Help, or the version: asked for, so it goes to standard output.
    const bool help = dynamic_cast<const CLI::CallForHelp*>(&error) != nullptr;
    const std::string text = help ? app.help() : absl::StrCat(error.what(), "\n");
    return console.Out(text).ok() ? 0 : kExitFailure;
  }
  if (words.empty()) {
    console.Error(ShortHelp(app));
    return kExitUsage;
  }
  const std::string path = CommandPath(app);
  const Failure failure{
      .command = path,
      .status = Error(absl::StatusCode::kInvalidArgument, "USAGE", UsageMessage(app, error)),
      .suggestion = SeeHelp(path)};
  console.Error(FailureLine(failure, "", Contains(words, "--json")));
  return kExitUsage;
}

int Run(const Command& command, const CLI::App& app, Context& context) {
  absl::Status status = command.awaits_gateway ? context.security_status : absl::OkStatus();
  if (command.needs_gateway && command.awaits_gateway && status.ok()) {
    status = context.gateway.Connect();
  }
  if (status.ok()) {
    const absl::StatusOr<int> code = command.run(context);
    if (code.ok()) return *code;
    status = code.status();
  }
  // Whoever pressed Ctrl-C knows why the call was cancelled.
  if (context.interrupt.signal() != 0) return 128 + context.interrupt.signal();
  const std::string path = CommandPath(app);
  if (ReasonOf(status) == "BAD_SETTING") {
    context.Tell({.command = path, .status = status, .suggestion = SeeHelp(path)});
    return kExitUsage;
  }
  const std::string suggestion =
      command.needs_gateway ? SuggestName(ParsedCommand(app), status, context.gateway) : "";
  context.Tell({.command = path, .status = status, .suggestion = suggestion});
  return command.failure_exit_code;
}

// The command that was parsed, with the settings that count.
int RunParsed(CLI::App& app, const Command& command, const SettingValues& options, Console& console,
              Interrupt& interrupt) {
  const absl::StatusOr<Settings> settings = LoadSettings(options);
  if (settings.ok() && settings->Value("color") == "never") console.ForbidColors();
  if (settings.ok()) ApplyOutputFormat(app, settings->Value("output"));
  absl::Status status;
  SecurityOptions security_options;
  Security security;
  if (command.needs_gateway) {
    status = settings.status();
    if (settings.ok()) security_options = SecurityOptionsOf(*settings);
    absl::StatusOr<Security> loaded =
        status.ok() ? LoadSecurity(security_options) : absl::StatusOr<Security>(status);
    status = loaded.status();
    if (loaded.ok()) security = *std::move(loaded);
  }
  Gateway gateway(settings.ok() ? settings->Value("gateway") : kDefaultGateway, security);
  Context context{
      gateway, console, interrupt, settings, security_options, status, IsJson(ParsedCommand(app))};
  return Run(command, app, context);
}

}  // namespace

const char* const kVersion = RAWGATE_VERSION;

int RunCommandLine(std::vector<std::string> words, Console& console, Interrupt& interrupt) {
  Command chosen;
  SettingValues options;
  CLI::App app("Control, observe and use the rawgate services through their gateway.", "rawgate");
  app.formatter(std::make_shared<HelpFormatter>(console));
  app.set_help_flag("-h,--help", "Show this help");
  app.set_version_flag("--version", "rawgate " RAWGATE_VERSION, "Show the version");
  app.require_subcommand(1);
  app.footer(kExamples);
  AddCommands(app, chosen);
  AddGlobalOptions(app, options);
  UnshieldValues(app);

  chosen.words = TakeTrailingWords(app, {"run", "shell", "echo", "complete"}, words);
  // Help is shown before options are looked at.
  if (Contains(words, "--no-color")) console.ForbidColors();
  ShieldWords(words);
  try {
    // CLI11 takes words from the end.
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
    CheckText(app);
  } catch (const CLI::ParseError& error) {
    return ReportUsage(app, error, words, console);
  }
  return RunParsed(app, chosen, options, console, interrupt);
}

}  // namespace rawgate::cli
