// The configuration file: contexts (gateways by name) and what counts where nothing else is said.
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rawgate::cli {

// By the names of settings (cli/settings.h): {"gateway": "lab:50051", "tls-ca":
// "/home/ann/ca.pem"}.
using SettingValues = std::map<std::string, std::string>;

// What the file says. It has no secrets: of tokens and keys it knows the files alone.
struct Config {
  // The one that commands use which are not told another; empty for none.
  std::string context;
  SettingValues defaults;
  // By name. A context has only settings of a connection.
  std::map<std::string, SettingValues> contexts;
};

// $RAWGATE_CONFIG, else rawgate/config.json in $XDG_CONFIG_HOME, else in ~/.config. Error:
// FAILED_PRECONDITION (NO_HOME) when none of these says where.
absl::StatusOr<std::string> ConfigPath();

// {"context": "lab", "defaults": {...}, "contexts": {"lab": {...}}}; every part may be missing.
// Values that are files, relative ones, are taken from `folder` on. Credentials need a gateway
// beside them, the only one that they are for. Errors: INVALID_ARGUMENT
// (BAD_CONFIG): no JSON, with line and column; a member that is not known, or a value that is none,
// with its place as a JSON pointer (RFC 6901); a current context that is not there.
absl::StatusOr<Config> ParseConfig(absl::string_view text, const std::string& folder);

// As ParseConfig() takes it, indented, with a newline at the end.
std::string ConfigText(const Config& config);

// An empty one when there is no file, or nothing in it, or it is /dev/null. Errors: as
// ParseConfig(), with the path; those of open(2) and read(2); INVALID_ARGUMENT (BAD_CONFIG) for
// what is no regular file, which could keep everything waiting, and for one of over 256 KiB;
// FAILED_PRECONDITION (CONFIG_NOT_PRIVATE) for one that others may write to, or that is neither
// this user's nor root's: they could send tokens elsewhere.
absl::StatusOr<Config> LoadConfig(const std::string& path);

// Puts it in the file's place as a whole, for its owner alone to read; makes the folders that are
// missing, for their owner alone. Of two at once the later one counts. Errors:
// FAILED_PRECONDITION (NO_CONFIG_FILE) where something else is there, such as a device; those of
// mkdir(2), open(2), write(2) and rename(2).
absl::Status SaveConfig(const std::string& path, const Config& config);

// A name of a context: 1 to 64 of the characters A-Z a-z 0-9 . _ -, the first of which is no '-'.
bool IsContextName(absl::string_view name);

}  // namespace rawgate::cli
