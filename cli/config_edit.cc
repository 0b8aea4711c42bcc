#include "cli/config_edit.h"

#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/display_text.h"
#include "cli/settings.h"
#include "cli/suggestion.h"
#include "runtime/base/status.h"

namespace rawgate::cli {

absl::StatusOr<EditedConfig> LoadForEdit() {
  const absl::StatusOr<std::string> path = ConfigPath();
  if (!path.ok()) return path.status();
  absl::StatusOr<Config> config = LoadConfig(*path);
  if (!config.ok()) return config.status();
  return EditedConfig{*path, *std::move(config)};
}

absl::StatusOr<int> SaveEdited(const EditedConfig& edited, const std::string& done,
                               const Console& console) {
  if (absl::Status saved = SaveConfig(edited.path, edited.config); !saved.ok()) return saved;
  console.Error(absl::StrCat(done, "\n"));
  return 0;
}

absl::StatusOr<const SettingValues*> FindContext(const Config& config, const std::string& name) {
  const auto found = config.contexts.find(name);
  if (found != config.contexts.end()) return &found->second;
  std::vector<std::string> known;
  for (const auto& [other, values] : config.contexts) known.push_back(other);
  const std::string suggestion = DidYouMean(name, known);
  return Error(absl::StatusCode::kNotFound, "CONTEXT_NOT_FOUND",
               absl::StrCat("there is no context ", Quoted(name), suggestion.empty() ? "" : ".",
                            suggestion));
}

std::string ValueOf(const SettingValues& values, const std::string& name) {
  const auto found = values.find(name);
  return found == values.end() ? "" : found->second;
}

absl::Status MakePathsAbsolute(SettingValues& values) {
  for (auto& [name, value] : values) {
    if (value.empty() || !FindSettingKind(name)->is_file) continue;
    std::error_code error;
    const std::filesystem::path path = std::filesystem::absolute(value, error);
    if (error) return ErrnoError(error.value(), Quoted(value));
    value = path.lexically_normal().string();
  }
  return absl::OkStatus();
}

}  // namespace rawgate::cli
