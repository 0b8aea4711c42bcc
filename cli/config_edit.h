// Changes of the configuration file, by the commands that make them.
#pragma once

#include <memory>
#include <string>
#include <type_traits>

#include "absl/status/statusor.h"
#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/console.h"

namespace rawgate::cli {

// The file, and what is to become of it.
struct EditedConfig {
  std::string path;
  Config config;
};

// As it is now. Errors: those of ConfigPath() and LoadConfig().
absl::StatusOr<EditedConfig> LoadForEdit();

// Puts it in its place and says `done`, a sentence, on standard error. Returns the exit code.
// Errors: those of SaveConfig().
absl::StatusOr<int> SaveEdited(const EditedConfig& edited, const std::string& done,
                               const Console& console);

// NOT_FOUND (CONTEXT_NOT_FOUND) with what was meant perhaps. The result is part of `config`.
absl::StatusOr<const SettingValues*> FindContext(const Config& config, const std::string& name);

// Empty when it is not there.
std::string ValueOf(const SettingValues& values, const std::string& name);

// Has relative ones begin at the current folder, whatever it is when they are used. Errors: those
// of getcwd(3).
absl::Status MakePathsAbsolute(SettingValues& values);

struct ConfigurationCommand {
  const char* name;
  const char* description;
  const char* examples;
};

// Adds to `parent`, "context" or "config", a command that needs no gateway: it is given `options`.
template <typename Options>
CLI::App& AddConfigurationCommand(
    CLI::App& parent, Command& chosen, const ConfigurationCommand& what,
    std::type_identity_t<absl::StatusOr<int> (*)(const Options&, const Context&)> run,
    const std::shared_ptr<Options>& options) {
  CLI::App* command = parent.add_subcommand(what.name, what.description);
  command->group("Commands")->footer(what.examples);
  command->callback([&chosen, run, options] {
    chosen.needs_gateway = false;
    chosen.run = [run, options](Context& context) { return run(*options, context); };
  });
  return *command;
}

}  // namespace rawgate::cli
