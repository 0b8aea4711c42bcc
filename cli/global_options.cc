#include "cli/global_options.h"

#include <array>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/settings.h"

namespace rawgate::cli {
namespace {

// Of options that are taken after the command, too, and told of once: by 'rawgate --help'.
constexpr char kNotShown[] = "";

struct Row {
  const char* setting;
  const char* type;
  const char* description;
};

constexpr std::array kRows = std::to_array<Row>({
    {"gateway", "ADDRESS",
     "Where the gateway listens, any gRPC target; else\n$RAWGATE_GATEWAY, else the context's, "
     "else\n"
     "127.0.0.1:50051"},
    {"context", "CONTEXT",
     "Whose gateway and credentials to use; else\n$RAWGATE_CONTEXT, else the one that 'rawgate\n"
     "context use' has chosen"},
    {"token-file", kLocalFile,
     "The token that says who you are; else\n$RAWGATE_TOKEN_FILE, else $RAWGATE_TOKEN itself"},
    {"tls-ca", kLocalFile, "Use TLS, and trust what this CA (PEM) signed; else\n$RAWGATE_TLS_CA"},
    {"tls-certificate", kLocalFile, "Your certificate (PEM); else\n$RAWGATE_CLIENT_CERTIFICATE"},
    {"tls-key", kLocalFile, "Its private key (PEM); else $RAWGATE_CLIENT_KEY"},
});

// Empty, or what is wrong.
std::string Wrong(const char* setting, const std::string& value) {
  const SettingKind* kind = FindSettingKind(setting);
  const absl::Status good = kind == nullptr ? absl::OkStatus() : CheckSetting(*kind, value);
  return std::string(good.message());
}

void AddTo(CLI::App& app, SettingValues& values) {
  for (const Row& row : kRows) {
    const std::string name = absl::StrCat("--", row.setting);
    if (app.get_option_no_throw(name) != nullptr) continue;
    CLI::Option* option = app.add_option(name, values[row.setting], row.description)
                              ->type_name(row.type)
                              ->check([setting = row.setting](const std::string& value) {
                                return Wrong(setting, value);
                              });
    if (app.get_parent() != nullptr) option->group(kNotShown);
  }
  CLI::Option* no_color = app.add_flag_callback(
      "--no-color", [&values] { values["color"] = "never"; },
      "No colours; NO_COLOR in the environment does the same");
  if (app.get_parent() != nullptr) no_color->group(kNotShown);
  for (CLI::App* command : app.get_subcommands({})) AddTo(*command, values);
}

}  // namespace

void AddGlobalOptions(CLI::App& app, SettingValues& values) { AddTo(app, values); }

bool IsGlobalOption(const CLI::Option& option) { return option.get_group() == kNotShown; }

}  // namespace rawgate::cli
