#include "cli/config_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "cli/credential_files.h"
#include "cli/display_text.h"
#include "cli/json_text.h"
#include "cli/local_path.h"
#include "cli/settings.h"
#include "cli/suggestion.h"
#include "runtime/base/fd.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

namespace json = boost::json;

constexpr size_t kFileMax = size_t{256} * 1024;
constexpr size_t kNameMax = 64;
constexpr size_t kDepthMax = 8;

absl::Status BadConfig(absl::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, "BAD_CONFIG", message);
}

// A reference token of a JSON pointer (RFC 6901).
std::string Escaped(absl::string_view name) {
  return Printable(absl::StrReplaceAll(name, {{"~", "~0"}, {"/", "~1"}}));
}

absl::Status Unknown(const std::string& pointer, absl::string_view name,
                     const std::vector<std::string>& known) {
  return BadConfig(absl::StrCat("nothing is known of ", pointer, "/", Escaped(name), ".",
                                DidYouMean(name, known)));
}

absl::StatusOr<std::string> StringAt(const std::string& pointer, const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  return BadConfig(absl::StrCat(pointer, " is no string"));
}

std::string FromFolder(const std::string& folder, const std::string& path) {
  if (path.empty() || path.front() == '/') return path;
  return Joined(folder, path);
}

class Reader {
 public:
  explicit Reader(std::string folder) : folder_(std::move(folder)) {}

  absl::StatusOr<Config> Read(const json::value& root) const;

 private:
  absl::StatusOr<SettingValues> ReadSettings(const std::string& pointer, const json::value& value,
                                             bool in_context) const;
  absl::Status ReadContexts(const json::value& value, Config& config) const;

  const std::string folder_;
};

absl::StatusOr<Config> Reader::Read(const json::value& root) const {
  if (!root.is_object()) return BadConfig("it is no JSON object");
  Config config;
  for (const auto& [key, value] : root.get_object()) {
    const std::string name(key);
    absl::Status status;
    if (name == "context") {
      const absl::StatusOr<std::string> context = StringAt("/context", value);
      status = context.status();
      if (context.ok()) config.context = *context;
    } else if (name == "defaults") {
      auto defaults = ReadSettings("/defaults", value, /*in_context=*/false);
      status = defaults.status();
      if (defaults.ok()) config.defaults = *std::move(defaults);
    } else if (name == "contexts") {
      status = ReadContexts(value, config);
    } else {
      status = Unknown("", name, {"context", "defaults", "contexts"});
    }
    if (!status.ok()) return status;
  }
  if (config.context.empty() || config.contexts.count(config.context) > 0) return config;
  return BadConfig(absl::StrCat("/context is ", Quoted(config.context), ", and /contexts has none ",
                                "of that name"));
}

absl::Status Reader::ReadContexts(const json::value& value, Config& config) const {
  if (!value.is_object()) return BadConfig("/contexts is no object");
  for (const auto& [key, settings] : value.get_object()) {
    const std::string name(key);
    const std::string pointer = absl::StrCat("/contexts/", Escaped(name));
    if (!IsContextName(name)) return BadConfig(absl::StrCat(pointer, " is no name of a context"));
    auto read = ReadSettings(pointer, settings, /*in_context=*/true);
    if (!read.ok()) return read.status();
    config.contexts[name] = *std::move(read);
  }
  return absl::OkStatus();
}

absl::StatusOr<SettingValues> Reader::ReadSettings(const std::string& pointer,
                                                   const json::value& value,
                                                   bool in_context) const {
  if (!value.is_object()) return BadConfig(absl::StrCat(pointer, " is no object"));
  std::vector<std::string> known;
  for (const SettingKind& kind : SettingKinds()) {
    if (kind.connects || !in_context) known.emplace_back(kind.name);
  }
  SettingValues settings;
  for (const auto& [key, member] : value.get_object()) {
    const std::string name(key);
    if (std::find(known.begin(), known.end(), name) == known.end())
      return Unknown(pointer, name, known);
    const std::string place = absl::StrCat(pointer, "/", Escaped(name));
    const absl::StatusOr<std::string> text = StringAt(place, member);
    if (!text.ok()) return text.status();
    const SettingKind& kind = *FindSettingKind(name);
    if (const absl::Status good = CheckSetting(kind, *text); !good.ok())
      return BadConfig(absl::StrCat(place, ": ", good.message()));
    settings[name] = kind.is_file ? FromFolder(folder_, *text) : *text;
  }
  if (const absl::string_view lost = CredentialWithoutGateway(settings); !lost.empty()) {
    return BadConfig(absl::StrCat(pointer, "/", lost, ": it is for the gateway that ", pointer,
                                  "/gateway says, and there is none"));
  }
  return settings;
}

// "line 3, column 7", of the byte at `offset`.
std::string Position(absl::string_view text, size_t offset) {
  const absl::string_view before = text.substr(0, offset);
  const size_t newline = before.rfind('\n');
  const size_t column = newline == before.npos ? before.size() : before.size() - newline - 1;
  return absl::StrCat("line ", std::count(before.begin(), before.end(), '\n') + 1, ", column ",
                      column + 1);
}

absl::StatusOr<json::value> ParseJson(absl::string_view text) {
  json::parse_options options;
  options.max_depth = kDepthMax;
  json::stream_parser parser({}, options);
  boost::system::error_code error;
  const size_t parsed = parser.write_some(text.data(), text.size(), error);
  if (!error && parsed == text.size()) parser.finish(error);
  if (error) {
    return BadConfig(absl::StrCat("no JSON at ", Position(text, parsed), ": ", error.message()));
  }
  if (parsed < text.size()) {
    return BadConfig(absl::StrCat("more than one JSON value, at ", Position(text, parsed)));
  }
  return parser.release();
}

absl::Status In(const std::string& path, const absl::Status& status) {
  return BadConfig(absl::StrCat(Quoted(path), ": ", status.message()));
}

bool IsNullDevice(const struct stat& status) {
  struct stat null {};
  return S_ISCHR(status.st_mode) && ::stat("/dev/null", &null) == 0 &&
         null.st_rdev == status.st_rdev;
}

absl::Status CheckPrivate(const std::string& path, const struct stat& status) {
  const auto not_private = [](const std::string& why, absl::string_view remedy) {
    return Error(absl::StatusCode::kFailedPrecondition, "CONFIG_NOT_PRIVATE",
                 absl::StrCat(why, ", and could have tokens sent elsewhere: ", remedy));
  };
  if (status.st_uid != 0 && status.st_uid != ::geteuid())
    return not_private(absl::StrCat("another user has ", Quoted(path)), "chown it");
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return not_private(absl::StrCat("others may write to ", Quoted(path)), "chmod go-w it");
  return absl::OkStatus();
}

// What LoadConfig() says of the file, about one and the same: by the time of a second look its name
// may be another's.
absl::StatusOr<std::string> ReadTrusted(const std::string& path) {
  // So that nothing waits for somebody to write to a pipe.
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) return ErrnoError(errno, Quoted(path));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return ErrnoError(errno, Quoted(path));
  if (IsNullDevice(status)) return "";
  if (!S_ISREG(status.st_mode)) return In(path, BadConfig("it is no regular file"));
  if (absl::Status is_private = CheckPrivate(path, status); !is_private.ok()) return is_private;
  return ReadSmallFile(file, path, kFileMax);
}

// Those that are missing, for their owner alone whatever the umask is (XDG Base Directory
// Specification).
absl::Status MakeFolders(const std::string& folder) {
  std::filesystem::path made;
  for (const std::filesystem::path& part : std::filesystem::path(folder)) {
    made /= part;
    std::error_code ignored;
    if (std::filesystem::is_directory(made, ignored)) continue;
    if (::mkdir(made.c_str(), 0700) != 0 && errno != EEXIST)
      return ErrnoError(errno, Quoted(folder));
  }
  return absl::OkStatus();
}

json::object ObjectOf(const SettingValues& settings) {
  json::object object;
  for (const auto& [name, value] : settings) object[name] = value;
  return object;
}

}  // namespace

absl::StatusOr<std::string> ConfigPath() {
  const auto variable = [](const char* name) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment
    const char* const value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  if (std::string path = variable("RAWGATE_CONFIG"); !path.empty()) return path;
  // A relative one is to be ignored (XDG Base Directory Specification).
  std::string base = variable("XDG_CONFIG_HOME");
  if (base.empty() || base.front() != '/') {
    const std::string home = variable("HOME");
    if (home.empty()) {
      return Error(absl::StatusCode::kFailedPrecondition, "NO_HOME",
                   "neither $HOME nor $RAWGATE_CONFIG says where the configuration is");
    }
    base = Joined(home, ".config");
  }
  return Joined(base, "rawgate/config.json");
}

absl::StatusOr<Config> ParseConfig(absl::string_view text, const std::string& folder) {
  const absl::StatusOr<json::value> root = ParseJson(text);
  if (!root.ok()) return root.status();
  return Reader(folder).Read(*root);
}

std::string ConfigText(const Config& config) {
  json::object root;
  if (!config.context.empty()) root["context"] = config.context;
  if (!config.defaults.empty()) root["defaults"] = ObjectOf(config.defaults);
  json::object contexts;
  for (const auto& [name, settings] : config.contexts) contexts[name] = ObjectOf(settings);
  if (!contexts.empty()) root["contexts"] = contexts;
  return JsonText(root);
}

absl::StatusOr<Config> LoadConfig(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadTrusted(path);
  if (ReasonOf(text.status()) == "ENOENT") return Config();
  if (!text.ok()) return text.status();
  if (text->empty()) return Config();
  if (text->size() > kFileMax)
    return In(path, BadConfig(absl::StrCat("over ", HumanSize(kFileMax))));
  absl::StatusOr<Config> config = ParseConfig(*text, WithoutTrailingSlashes(FolderPart(path)));
  if (!config.ok()) return In(path, config.status());
  return config;
}

absl::Status SaveConfig(const std::string& path, const Config& config) {
  std::error_code error;
  // Where it is a link into a folder that somebody keeps, the link stays.
  const std::string real = std::filesystem::weakly_canonical(path, error).string();
  if (error) return ErrnoError(error.value(), Quoted(path));
  if (std::filesystem::exists(real) && !std::filesystem::is_regular_file(real)) {
    return Error(absl::StatusCode::kFailedPrecondition, "NO_CONFIG_FILE",
                 absl::StrCat(Quoted(real), " is no file, and nothing was changed"));
  }
  const std::string folder = WithoutTrailingSlashes(FolderPart(real));
  if (absl::Status made = MakeFolders(folder); !made.ok()) return made;
  return ReplaceFile(folder, {LastComponent(real), ConfigText(config)});
}

bool IsContextName(absl::string_view name) {
  return !name.empty() && name.size() <= kNameMax && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' ||
                  c == '-';
         });
}

}  // namespace rawgate::cli
