#include "cli/command_line.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "cli/command.h"
#include "cli/display_text.h"
#include "cli/security.h"
#include "cli/trailing_words.h"

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

'rawgate COMMAND --help' tells more, with examples.
Exit codes: 0 done, 1 failed, 2 wrong usage; run, shell and attach have their
own.)";

// CLI11's help, as terse as that of the tools it stands beside.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() {
    column_width(26);
    label("Positionals", "Arguments");
    label("SUBCOMMAND", "COMMAND");
  }

  std::string make_usage(const CLI::App* app, std::string name) const override {
    return absl::StrCat("\n", Formatter::make_usage(app, std::move(name)));
  }

  std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
    return absl::StrReplaceAll(Formatter::make_option_name(option, is_positional), {{",", ", "}});
  }

  // The kind of value alone: what is allowed and what is the default are for the description.
  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_positional() || option->get_items_expected_min() == 0) return "";
    const std::string type = option->get_type_name();
    return absl::StrCat(" ", type.substr(0, type.find(':')));
  }

  std::string make_option_usage(const CLI::Option* option) const override {
    const bool many = option->get_items_expected_max() > 1;
    const std::string name = absl::StrCat(option->get_name(true, false), many ? "..." : "");
    return option->get_required() ? name : absl::StrCat("[", name, "]");
  }
};

void AddVersionCommand(CLI::App& app, Command& chosen) {
  CLI::App* version = app.add_subcommand("version", "Show the version of this program");
  version->group("Other");
  version->callback([&chosen] {
    chosen.needs_gateway = false;
    chosen.run = [](Context& context) -> absl::StatusOr<int> {
      const absl::Status status = context.console.Out("rawgate " RAWGATE_VERSION "\n");
      if (!status.ok()) return status;
      return 0;
    };
  });
}

void AddCommands(CLI::App& app, Command& chosen) {
  AddServiceCommands(app, chosen);
  AddWatchCommand(app, chosen);
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
  AddInitTlsCommand(app, chosen);
  AddNewTokenCommand(app, chosen);
  AddVersionCommand(app, chosen);
}

// What is there by HTTP is another port. Empty, or what is wrong.
std::string NoUrl(const std::string& target) {
  for (const absl::string_view scheme : {"http://", "https://", "grpc://", "grpcs://"}) {
    if (!absl::StartsWithIgnoreCase(target, scheme)) continue;
    return absl::StrCat(scheme, "... is no address of a gateway: HOST or HOST:PORT is, such as ",
                        "lab.example:50051, and --tls-ca makes it TLS");
  }
  return "";
}

// --gateway, before the subcommand or after it.
void AddGatewayOption(CLI::App& app, std::string& gateway) {
  const auto add = [&gateway](CLI::App& to) {
    return to
        .add_option("--gateway", gateway,
                    "Where the gateway listens, any gRPC target; else\n"
                    "$RAWGATE_GATEWAY, else 127.0.0.1:50051")
        ->type_name("ADDRESS")
        ->check(NoUrl);
  };
  add(app)->envname("RAWGATE_GATEWAY");
  for (CLI::App* subcommand : app.get_subcommands({})) add(*subcommand);
}

// What CLI11 takes apart: of an option that may be there several times, "[a,b]" is "a" and "b" to
// it. Such a word gets a NUL in front, which no word has of its own, and loses it again as a value.
void ShieldWords(std::vector<std::string>& words) {
  for (std::string& word : words) {
    if (!word.empty() && word.front() == '[' && word.back() == ']') word.insert(0, 1, '\0');
  }
}

std::string Unshielded(std::string word) {
  word.erase(std::remove(word.begin(), word.end(), '\0'), word.end());
  return word;
}

void UnshieldValues(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) option->transform(Unshielded);
  for (CLI::App* subcommand : app.get_subcommands({})) UnshieldValues(*subcommand);
}

std::string NameOf(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? "" : parsed.front()->get_name();
}

int Report(const CLI::App& app, const CLI::ParseError& error, bool no_words, Console& console) {
  if (error.get_exit_code() == 0) {
    // Help, or the version: asked for, so it goes to standard output.
    const bool help = dynamic_cast<const CLI::CallForHelp*>(&error) != nullptr;
    const std::string text = help ? app.help() : absl::StrCat(error.what(), "\n");
    return console.Out(text).ok() ? 0 : kExitFailure;
  }
  if (no_words) {
    console.Error(app.help());
    return kExitUsage;
  }
  const std::string name = NameOf(app);
  std::string what = error.what();
  if (name.empty() && dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    const std::vector<std::string> unknown = app.remaining();
    what = unknown.empty() ? "no command" : absl::StrCat("no such command: ", unknown.front());
  }
  console.Error(absl::StrCat("rawgate", name.empty() ? "" : " ", name, ": ",
                             Printable(Unshielded(what)), ". See 'rawgate", name.empty() ? "" : " ",
                             name, " --help'.\n"));
  return kExitUsage;
}

// What goes to the far side goes as text. Files of this side may be called anything.
void CheckText(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_name() == kLocalFile || option->get_type_name() == kLocalFile) continue;
    for (const std::string& value : option->results()) CheckUtf8(option->get_name(), value);
  }
  for (const CLI::App* subcommand : app.get_subcommands()) CheckText(*subcommand);
}

int Run(const Command& command, const std::string& name, absl::Status status, Context& context) {
  if (command.needs_gateway && status.ok()) status = context.gateway.Connect();
  if (status.ok()) {
    const absl::StatusOr<int> code = command.run(context);
    if (code.ok()) return *code;
    status = code.status();
  }
  // Whoever pressed Ctrl-C knows why the call was cancelled.
  if (context.interrupt.signal() != 0) return 128 + context.interrupt.signal();
  context.console.Error(absl::StrCat(Explain(name, status, context.gateway.target()), "\n"));
  return command.failure_exit_code;
}

}  // namespace

void CheckUtf8(const std::string& option, absl::string_view value) {
  if (!IsUtf8(value)) {
    throw CLI::ValidationError(option, absl::StrCat(Quoted(value), " is not UTF-8"));
  }
}

CLI::Option* AddDurationOption(CLI::App& app, const std::string& name, absl::Duration& duration,
                               const std::string& description) {
  return AddDurationOption(
      app, name, [&duration](absl::Duration value) { duration = value; }, description,
      absl::ZeroDuration(), absl::Hours(24 * 365));
}

CLI::Option* AddDurationOption(CLI::App& app, const std::string& name,
                               std::function<void(absl::Duration)> take,
                               const std::string& description, absl::Duration least,
                               absl::Duration most) {
  const auto parse = [name, take = std::move(take), least, most](const std::string& text) {
    double seconds = 0;
    absl::Duration duration;
    if (absl::SimpleAtod(text, &seconds)) {
      duration = absl::Seconds(seconds);
    } else if (!absl::ParseDuration(text, &duration)) {
      throw CLI::ValidationError(name, absl::StrCat("'", text, "' is no time such as 5s or 1m30s"));
    }
    if (duration < least || duration > most) {
      throw CLI::ValidationError(name, absl::StrCat("'", text, "' is out of range"));
    }
    take(duration);
  };
  return app.add_option_function<std::string>(name, parse, description)->type_name("TIME");
}

int RunCommandLine(std::vector<std::string> words, Console& console, Interrupt& interrupt) {
  Command chosen;
  std::string target = kDefaultGateway;
  CLI::App app("Control, observe and use the rawgate services through their gateway.", "rawgate");
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_help_flag("-h,--help", "Show this help");
  app.set_version_flag("--version", "rawgate " RAWGATE_VERSION, "Show the version");
  app.require_subcommand(1);
  app.footer(kExamples);
  AddCommands(app, chosen);
  AddGatewayOption(app, target);
  SecurityOptions security_options;
  AddSecurityOptions(app, security_options);
  UnshieldValues(app);

  const bool no_words = words.empty();
  chosen.words = TakeTrailingWords(app, {"run", "shell", "echo"}, words);
  ShieldWords(words);
  try {
    // CLI11 takes words from the end.
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
    CheckText(app);
    CheckSecurityOptions(security_options);
  } catch (const CLI::ParseError& error) {
    return Report(app, error, no_words, console);
  }
  if (target.empty()) target = kDefaultGateway;
  absl::StatusOr<Security> security = Security();
  if (chosen.needs_gateway) security = LoadSecurity(security_options);
  Gateway gateway(target, security.value_or(Security()));
  Context context{gateway, console, interrupt};
  return Run(chosen, NameOf(app), security.status(), context);
}

}  // namespace rawgate::cli
