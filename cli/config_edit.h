// Changes of the configuration file, by the commands that make them.
#pragma once

#include <string>

#include "absl/status/statusor.h"
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

}  // namespace rawgate::cli
