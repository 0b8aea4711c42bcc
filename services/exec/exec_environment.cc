#include "services/exec/exec_environment.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "runtime/base/status.h"

namespace rawgate::exec {
namespace {

constexpr char kUsualPath[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

void Set(EnvironmentVariables* variables, absl::string_view name, absl::string_view value) {
  const auto found = std::find_if(variables->begin(), variables->end(),
                                  [name](const auto& variable) { return variable.first == name; });
  if (found != variables->end()) {
    found->second = std::string(value);
  } else {
    variables->emplace_back(name, value);
  }
}

}  // namespace

EnvironmentVariables BaseEnvironment(const Identity& identity) {
  EnvironmentVariables base = {{"PATH", kUsualPath}};
  if (!identity.name.empty()) {
    base.insert(base.end(),
                {{"HOME", identity.home}, {"USER", identity.name}, {"LOGNAME", identity.name}});
  }
  std::vector<const char*> inherited = {"LANG", "TZ"};
  if (!identity.change) inherited.insert(inherited.end(), {"PATH", "HOME", "USER", "LOGNAME"});
  for (const char* name : inherited) {
    if (const char* value = std::getenv(name)) Set(&base, name, value);
  }
  return base;
}

absl::Status CheckEnvironment(const EnvironmentVariables& variables) {
  const auto bad = [](size_t index, absl::string_view part, absl::string_view message) {
    return FieldError(absl::StrFormat("environment[%d]%s", index, part), "BAD_ENVIRONMENT",
                      message);
  };
  if (variables.size() > kEnvironmentVariablesMax) {
    return FieldError(
        "environment", "BAD_ENVIRONMENT",
        absl::StrCat(variables.size(), " variables; at most ", kEnvironmentVariablesMax));
  }
  size_t bytes = 0;
  for (size_t i = 0; i < variables.size(); ++i) {
    const auto& [name, value] = variables[i];
    bytes += name.size() + value.size() + 2;
    if (name.empty()) return bad(i, ".name", "the name is empty");
    if (name.find_first_of(std::string("=\0", 2)) != std::string::npos) {
      return bad(i, ".name", "the name has a '=' or NUL in it");
    }
    if (name == kJobVariable)
      return bad(i, ".name", absl::StrCat(kJobVariable, " is set by the service"));
    if (value.find('\0') != std::string::npos) return bad(i, ".value", "the value has a NUL in it");
    if (bytes > kEnvironmentBytesMax) {
      return bad(i, "", absl::StrCat("more than ", kEnvironmentBytesMax, " bytes of environment"));
    }
  }
  return absl::OkStatus();
}

std::vector<std::string> MakeEnvironment(const EnvironmentVariables& base,
                                         const EnvironmentVariables& added,
                                         absl::string_view job_id) {
  EnvironmentVariables all = base;
  for (const auto& [name, value] : added) Set(&all, name, value);
  std::vector<std::string> environment = {absl::StrCat(kJobVariable, "=", job_id)};
  environment.reserve(all.size() + 1);
  for (const auto& [name, value] : all) environment.push_back(absl::StrCat(name, "=", value));
  return environment;
}

}  // namespace rawgate::exec
