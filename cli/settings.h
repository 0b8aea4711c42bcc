// What is said in several places: which gateway, how it is known, how output looks. What each is
// set to, and where that comes from.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "cli/config_file.h"

namespace rawgate::cli {

// A setting, and its places besides the configuration file.
struct SettingKind {
  // Its member in the file and, after "--", its option.
  absl::string_view name;
  absl::string_view variable;
  absl::string_view built_in;
  // A connection's: contexts have it.
  bool connects;
  // A path of this machine.
  bool is_file;
  // Says who you are: it is for the gateway that is said beside it in the file, and for no other.
  bool is_credential;
  // For people.
  absl::string_view description;
};

absl::Span<const SettingKind> SettingKinds();
// Null for a name that is none's.
const SettingKind* FindSettingKind(absl::string_view name);

// INVALID_ARGUMENT (BAD_SETTING) when `value` is none for it, such as a URL for "gateway".
absl::Status CheckSetting(const SettingKind& kind, absl::string_view value);

// The name of a credential among `values`, a context's or the defaults, which have no "gateway"
// that it could be for; empty for none.
absl::string_view CredentialWithoutGateway(const SettingValues& values);

// Where a value comes from, the strongest first.
enum class Origin { kOption, kVariable, kContext, kDefaults, kBuiltIn, kNowhere };

struct Setting {
  std::string name;
  std::string value;
  Origin origin = Origin::kNowhere;
  // "--gateway", "$RAWGATE_GATEWAY", "context lab in /home/ann/.config/rawgate/config.json",
  // "defaults in ...", "built in", "not set".
  std::string where = "not set";
};

class Settings {
 public:
  // In the order of SettingKinds().
  const std::vector<Setting>& all() const { return all_; }
  // One that there is; empty values are those that are not set.
  const Setting& Get(absl::string_view name) const;
  const std::string& Value(absl::string_view name) const { return Get(name).value; }

  // The context whose settings count; empty for none.
  const std::string& context() const { return context_.value; }
  // The same as a setting, "context".
  const Setting& chosen_context() const { return context_; }

 private:
  friend class SettingsResolver;
  std::vector<Setting> all_;
  Setting context_;
};

struct SettingsSources {
  // By name, as typed; "context" is the one that --context names.
  SettingValues options;
  // std::getenv(), or a test's.
  std::function<const char*(const char*)> variable;
  Config config = {};
  // Of the file, for people.
  std::string path = {};
};

// Each setting is that of the option; else of the context that --context names; else of the
// environment; else of the context that $RAWGATE_CONTEXT or the file names; else of the file's
// defaults; else built in. What is empty counts as not there.
//
// A context belongs together: where an option or the environment says which gateway, nothing of a
// context counts that was not chosen by --context, so that its token goes to no other gateway; and
// --context with a --gateway that is not the context's is an error. Credentials of the defaults
// count for the gateway of the defaults alone. A token in $RAWGATE_TOKEN counts as a "token-file"
// of the environment would, and has that setting empty.
//
// Errors: INVALID_ARGUMENT (BAD_SETTING), with where it was said, also for two options that exclude
// each other; NOT_FOUND (CONTEXT_NOT_FOUND).
absl::StatusOr<Settings> ResolveSettings(const SettingsSources& sources);

// The same with this process's environment and the configuration file of ConfigPath(), where there
// is one. Errors: those of LoadConfig(), too.
absl::StatusOr<Settings> LoadSettings(const SettingValues& options);

}  // namespace rawgate::cli
