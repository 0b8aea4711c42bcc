// rawgate context add, list, use, show, remove.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/config_edit.h"
#include "cli/context_views.h"
#include "cli/display_text.h"
#include "cli/output_format.h"
#include "cli/security.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

struct ContextOptions {
  std::string name;
  SettingValues values;
  bool use = false;
  bool replace = false;
  OutputFormat format = OutputFormat::kText;
};

// --- add

// That it can work as far as this machine knows: nothing is sent.
absl::Status CheckUsable(const SettingValues& values) {
  const absl::StatusOr<Security> security =
      LoadSecurity({.token_file = ValueOf(values, "token-file"),
                    .tls_ca = ValueOf(values, "tls-ca"),
                    .tls_certificate = ValueOf(values, "tls-certificate"),
                    .tls_key = ValueOf(values, "tls-key")});
  if (!security.ok()) return security.status();
  if (ValueOf(values, "token-file").empty()) return absl::OkStatus();
  return CheckTokenStaysPrivate(*security, Gateway(ValueOf(values, "gateway"), *security).target());
}

absl::StatusOr<int> AddContext(const ContextOptions& options, const Context& context) {
  SettingValues values;
  for (const auto& [name, value] : options.values) {
    if (!value.empty()) values[name] = value;
  }
  if (absl::Status status = MakePathsAbsolute(values); !status.ok()) return status;
  if (absl::Status status = CheckUsable(values); !status.ok()) return status;
  absl::StatusOr<EditedConfig> edited = LoadForEdit();
  if (!edited.ok()) return edited.status();
  Config& config = edited->config;
  if (config.contexts.count(options.name) > 0 && !options.replace) {
    return Error(absl::StatusCode::kAlreadyExists, "CONTEXT_EXISTS",
                 absl::StrCat("there is a context ", Quoted(options.name), " already"));
  }
  config.contexts[options.name] = values;
  if (options.use) config.context = options.name;
  const bool used = config.context == options.name;
  return SaveEdited(*edited,
                    used
                        ? absl::StrCat("Context ", options.name, " is there, and in use.")
                        : absl::StrCat("Context ", options.name, " is there; 'rawgate context use ",
                                       options.name, "' has commands use it."),
                    context.console);
}

// --- use, remove

absl::StatusOr<int> UseContext(const ContextOptions& options, const Context& context) {
  absl::StatusOr<EditedConfig> edited = LoadForEdit();
  if (!edited.ok()) return edited.status();
  const auto values = FindContext(edited->config, options.name);
  if (!values.ok()) return values.status();
  edited->config.context = options.name;
  return SaveEdited(*edited,
                    absl::StrCat("Commands use context ", options.name, ", the gateway at ",
                                 Printable(ValueOf(**values, "gateway")), "."),
                    context.console);
}

absl::StatusOr<int> RemoveContext(const ContextOptions& options, const Context& context) {
  absl::StatusOr<EditedConfig> edited = LoadForEdit();
  if (!edited.ok()) return edited.status();
  const auto values = FindContext(edited->config, options.name);
  if (!values.ok()) return values.status();
  edited->config.contexts.erase(options.name);
  const bool used = edited->config.context == options.name;
  if (used) edited->config.context.clear();
  return SaveEdited(
      *edited,
      absl::StrCat("Context ", options.name, " is gone",
                   used ? "; commands use none now." : ". Its files are as they were."),
      context.console);
}

constexpr char kExamples[] =
    R"(Examples:
  rawgate context add lab --address lab:50051 --token-file ~/lab.token \
    --tls-ca ~/lab-ca.pem
  rawgate context use lab           from now on commands go there
  rawgate --context lab ps          this one only
  rawgate context list

A context is a gateway with what it takes to be let in there. It is kept in the
file that 'rawgate config path' tells; tokens and keys stay in files of their
own. A context in use does not count where --gateway or $RAWGATE_GATEWAY says
another gateway: its token goes to no other. --context and --gateway exclude
each other.)";

constexpr char kAddExamples[] =
    R"(Examples:
  rawgate context add home --address 127.0.0.1:50051 --use
  rawgate context add lab --address lab:50051 --token-file ~/lab.token \
    --tls-ca ~/lab-ca.pem
  rawgate context add lab --replace --address lab2:50051

The files are looked at, and the gateway is not asked: 'rawgate --context NAME
ps' does.)";

constexpr char kListExamples[] =
    R"(Examples:
  rawgate context list
  rawgate context list --json | jq -r '.contexts[].name'
  rawgate context list --plain | cut -f2)";

constexpr char kShowExamples[] =
    R"(Examples:
  rawgate context show            the one that commands use now
  rawgate context show lab --json | jq -r .gateway)";

constexpr char kUseExamples[] =
    R"(Examples:
  rawgate context use lab
  rawgate config unset context    none again)";

constexpr char kRemoveExamples[] =
    R"(Examples:
  rawgate context remove lab)";

void AddAddOptions(CLI::App& add, ContextOptions& options) {
  add.add_option_function<std::string>(
         "NAME",
         [&options](const std::string& name) {
           if (!IsContextName(name))
             throw CLI::ValidationError(
                 absl::StrCat(Quoted(name), " is no name: letters, digits, '.', '_', '-'"));
           options.name = name;
         },
         "What to call it")
      ->required();
  add.add_option("--address,--gateway", options.values["gateway"], "Where the gateway listens")
      ->type_name("ADDRESS")
      ->required()
      ->check([](const std::string& value) {
        return std::string(CheckSetting(*FindSettingKind("gateway"), value).message());
      });
  const auto add_file = [&](const std::string& setting, const char* description) {
    add.add_option(absl::StrCat("--", setting), options.values[setting], description)
        ->type_name(kLocalFile);
  };
  add_file("token-file", "The token that says who you are");
  add_file("tls-ca", "Use TLS, and trust what this CA (PEM) signed");
  add_file("tls-certificate", "Your certificate (PEM)");
  add_file("tls-key", "Its private key (PEM)");
  add.add_flag("--use", options.use, "Have commands use it from now on");
  add.add_flag("--replace", options.replace, "Replace one that is there");
}

}  // namespace

void AddContextCommands(CLI::App& app, Command& chosen) {
  CLI::App* context = app.add_subcommand("context", "Gateways by name, with their credentials");
  context->group(kConfigurationGroup)->require_subcommand(1)->footer(kExamples);
  const auto options = std::make_shared<ContextOptions>();
  AddAddOptions(AddConfigurationCommand(*context, chosen, {"add", "Add a gateway", kAddExamples},
                                        AddContext, options),
                *options);
  CLI::App& list = AddConfigurationCommand(
      *context, chosen, {"list", "List them", kListExamples},
      [](const ContextOptions& given, const Context& with) {
        return ListContexts(given.format, with);
      },
      options);
  AddOutputFormat(list, options->format, "them");
  CLI::App& use = AddConfigurationCommand(*context, chosen,
                                          {"use", "Choose the one that commands use", kUseExamples},
                                          UseContext, options);
  use.add_option("CONTEXT", options->name, "Which one")->required();
  CLI::App& show = AddConfigurationCommand(
      *context, chosen, {"show", "Show one", kShowExamples},
      [](const ContextOptions& given, const Context& with) {
        return ShowContext(given.name, given.format, with);
      },
      options);
  show.add_option("CONTEXT", options->name, "Which one; else the one in use");
  AddJsonFormat(show, options->format, "it");
  CLI::App& remove = AddConfigurationCommand(
      *context, chosen, {"remove", "Forget one", kRemoveExamples}, RemoveContext, options);
  remove.add_option("CONTEXT", options->name, "Which one")->required();
}

}  // namespace rawgate::cli
