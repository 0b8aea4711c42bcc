// rawgate config show, path, set, unset.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/config_edit.h"
#include "cli/display_text.h"
#include "cli/json_text.h"
#include "cli/output_format.h"
#include "cli/suggestion.h"
#include "cli/text_table.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

constexpr char kContext[] = "context";

struct ConfigOptions {
  std::string name;
  std::string value;
  bool origin = false;
  OutputFormat format = OutputFormat::kText;
};

// --- show

const char* NameOf(Origin origin) {
  switch (origin) {
    case Origin::kOption:
      return "option";
    case Origin::kVariable:
      return "environment";
    case Origin::kContext:
      return "context";
    case Origin::kDefaults:
      return "file";
    case Origin::kBuiltIn:
      return "built-in";
    case Origin::kNowhere:
      return "unset";
  }
  return "unset";
}

absl::StatusOr<int> ShowConfig(const ConfigOptions& options, const Context& context) {
  if (!context.settings.ok()) return context.settings.status();
  std::vector<Setting> settings = context.settings->all();
  settings.insert(settings.begin(), context.settings->chosen_context());
  boost::json::array objects;
  std::vector<TextTable::Column> columns = {{"SETTING"}, {"VALUE"}};
  if (options.origin) columns.push_back({"FROM"});
  TextTable table(std::move(columns));
  for (const Setting& setting : settings) {
    objects.emplace_back(boost::json::object{{"name", setting.name},
                                             {"value", JsonString(setting.value)},
                                             {"origin", NameOf(setting.origin)},
                                             {"from", JsonString(setting.where)}});
    table.AddRow({setting.name, Printable(setting.value), Printable(setting.where)});
  }
  const absl::Status written =
      context.console.Out(options.format == OutputFormat::kJson
                              ? JsonText(boost::json::object{{"settings", std::move(objects)}})
                              : table.In(options.format, context.console.OutputIsColored()));
  if (!written.ok()) return written;
  return 0;
}

// --- path, set, unset

absl::StatusOr<int> ShowPath(const ConfigOptions&, const Context& context) {
  const absl::StatusOr<std::string> path = ConfigPath();
  if (!path.ok()) return path.status();
  const std::string text =
      context.console.OutputIsTerminal() ? Printable(*path) : std::string(*path);
  const absl::Status written = context.console.Out(absl::StrCat(text, "\n"));
  if (!written.ok()) return written;
  return 0;
}

// Of a credential, whom it is for. BAD_SETTING when one of the defaults would be for nobody.
absl::StatusOr<std::string> CredentialNote(const SettingValues& defaults, const std::string& name) {
  if (const absl::string_view lost = CredentialWithoutGateway(defaults); !lost.empty()) {
    const std::string remedy = name == "gateway"
                                   ? absl::StrCat("unset ", lost, " first")
                                   : "set gateway first, or use 'rawgate context add'";
    return Error(absl::StatusCode::kInvalidArgument, "BAD_SETTING",
                 absl::StrCat(lost,
                              " is for the gateway of the defaults alone, and they would "
                              "have none: ",
                              remedy));
  }
  const SettingKind* kind = FindSettingKind(name);
  if (kind == nullptr || !kind->is_credential || ValueOf(defaults, name).empty()) return "";
  return absl::StrCat(", for the gateway at ", Printable(ValueOf(defaults, "gateway")), " alone");
}

absl::StatusOr<int> Set(const ConfigOptions& options, const Context& context) {
  absl::StatusOr<EditedConfig> edited = LoadForEdit();
  if (!edited.ok()) return edited.status();
  if (options.name == kContext) {
    if (const auto found = FindContext(edited->config, options.value); !found.ok())
      return found.status();
    edited->config.context = options.value;
  } else {
    SettingValues value = {{options.name, options.value}};
    if (absl::Status status = MakePathsAbsolute(value); !status.ok()) return status;
    edited->config.defaults[options.name] = value[options.name];
  }
  const absl::StatusOr<std::string> note = CredentialNote(edited->config.defaults, options.name);
  if (!note.ok()) return note.status();
  return SaveEdited(*edited,
                    absl::StrCat(options.name, " is ", Printable(options.value), *note, "."),
                    context.console);
}

absl::StatusOr<int> Unset(const ConfigOptions& options, const Context& context) {
  absl::StatusOr<EditedConfig> edited = LoadForEdit();
  if (!edited.ok()) return edited.status();
  if (options.name == kContext) {
    edited->config.context.clear();
  } else {
    edited->config.defaults.erase(options.name);
    const auto note = CredentialNote(edited->config.defaults, options.name);
    if (!note.ok()) return note.status();
  }
  return SaveEdited(*edited, absl::StrCat(options.name, " is not set in the file."),
                    context.console);
}

std::vector<std::string> SettingNames() {
  std::vector<std::string> names = {kContext};
  for (const SettingKind& kind : SettingKinds()) names.emplace_back(kind.name);
  return names;
}

constexpr char kExamples[] =
    R"help(Examples:
  rawgate config show --origin      what counts, and where it was said
  rawgate config set color never    a default, in the file
  "${EDITOR:-vi}" "$(rawgate config path)"

The strongest comes first: an option, such as --gateway; the context that
--context names; the environment, such as $RAWGATE_GATEWAY; the context that
$RAWGATE_CONTEXT or 'rawgate context use' names; "defaults" in the file; what
is built in. The file is JSON; what it may say is in docs/cli.md.)help";

constexpr char kShowExamples[] =
    R"help(Examples:
  rawgate config show --origin
  rawgate --context lab config show
  rawgate config show --json | jq -r '.settings[0].value')help";

constexpr char kPathExamples[] =
    R"help(Examples:
  cat "$(rawgate config path)"

$RAWGATE_CONFIG names another file.)help";

constexpr char kSetExamples[] =
    R"(Examples:
  rawgate config set gateway lab:50051
  rawgate config set output json      for commands that have --json
  rawgate config set color never

Settings: context, gateway, token-file, tls-ca, tls-certificate, tls-key, color
(auto, never), output (text, plain, json). A token-file, tls-certificate or
tls-key is for the gateway that is set here, and for no other.)";

constexpr char kUnsetExamples[] =
    R"(Examples:
  rawgate config unset gateway
  rawgate config unset context      commands use none)";

void AddSettingArgument(CLI::App& app, ConfigOptions& options) {
  app.add_option_function<std::string>(
         "SETTING",
         [&options](const std::string& name) {
           const std::vector<std::string> known = SettingNames();
           if (std::find(known.begin(), known.end(), name) == known.end())
             throw CLI::ValidationError(
                 absl::StrCat("no such setting: ", Printable(name), ".", DidYouMean(name, known)));
           options.name = name;
         },
         "Which one")
      ->required();
}

// Empty, or what is wrong with `value` for it.
std::string Wrong(const std::string& name, const std::string& value) {
  const SettingKind* kind = FindSettingKind(name);
  return kind == nullptr ? "" : std::string(CheckSetting(*kind, value).message());
}

}  // namespace

void AddConfigCommands(CLI::App& app, Command& chosen) {
  CLI::App* config = app.add_subcommand("config", "What is set, and where");
  config->group(kConfigurationGroup)->require_subcommand(1)->footer(kExamples);
  const auto options = std::make_shared<ConfigOptions>();
  CLI::App& show = AddConfigurationCommand(
      *config, chosen, {"show", "Show what counts for a command", kShowExamples}, ShowConfig,
      options);
  show.add_flag("--origin", options->origin, "Also where it comes from");
  AddOutputFormat(show, options->format, "it");
  AddConfigurationCommand(*config, chosen, {"path", "Tell where the file is", kPathExamples},
                          ShowPath, options);
  CLI::App& set = AddConfigurationCommand(
      *config, chosen, {"set", "Set a default in the file", kSetExamples}, Set, options);
  AddSettingArgument(set, *options);
  set.add_option("VALUE", options->value, "What it is to be")
      ->required()
      ->check([options](const std::string& value) { return Wrong(options->name, value); });
  CLI::App& unset = AddConfigurationCommand(
      *config, chosen, {"unset", "Take one out of the file", kUnsetExamples}, Unset, options);
  AddSettingArgument(unset, *options);
}

}  // namespace rawgate::cli
