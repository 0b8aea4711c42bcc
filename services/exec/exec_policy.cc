#include "services/exec/exec_policy.h"

#include <algorithm>
#include <utility>

#include <re2/re2.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "runtime/base/status.h"

namespace rawgate::exec {
namespace {

using Commands = PolicyRule::Commands;

bool IsPlain(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         absl::StrContains("@%_+=:,./-", absl::string_view(&c, 1));
}

absl::string_view LastPart(absl::string_view path) { return path.substr(path.rfind('/') + 1); }

bool Matches(const std::string& argument, const re2::RE2& pattern) {
  return argument.size() <= ProgramPattern::kArgumentMax && re2::RE2::FullMatch(argument, pattern);
}

bool Fits(const ProgramPattern& pattern, const std::vector<std::string>& argv) {
  if (argv[0] != pattern.path && argv[0] != LastPart(pattern.path)) return false;
  const size_t listed = pattern.arguments.size();
  if (argv.size() <= listed) return false;
  for (size_t i = 1; i < argv.size(); ++i) {
    const re2::RE2* const one =
        i <= listed ? pattern.arguments[i - 1].get() : pattern.further_arguments.get();
    if (one == nullptr || !Matches(argv[i], *one)) return false;
  }
  return true;
}

// ".." would lead out again, whatever stands before it.
bool IsWithin(absl::string_view path, absl::string_view folder) {
  if (!absl::ConsumePrefix(&path, folder)) return false;
  if (!absl::EndsWith(folder, "/") && !path.empty() && path.front() != '/') return false;
  const std::vector<absl::string_view> parts = absl::StrSplit(path, '/');
  return std::find(parts.begin(), parts.end(), "..") == parts.end();
}

// Beside its program and arguments.
bool AllowsRest(const PolicyRule& rule, const CommandSpec& spec) {
  const auto& names = rule.environment_names;
  const auto& folders = rule.folders;
  return std::all_of(spec.environment.begin(), spec.environment.end(),
                     [&](const auto& variable) {
                       return std::find(names.begin(), names.end(), variable.first) != names.end();
                     }) &&
         (spec.folder.empty() ||
          std::any_of(folders.begin(), folders.end(),
                      [&](const std::string& folder) { return IsWithin(spec.folder, folder); }));
}

// What `rule` runs for `spec`, whose program and arguments are `argv` if it has any; empty when the
// rule does not fit.
std::vector<std::string> ArgumentsBy(const PolicyRule& rule, const CommandSpec& spec,
                                     const std::vector<std::string>& argv) {
  if (rule.commands == Commands::kAny) return ArgumentsOf(spec);
  if (argv.empty() || !AllowsRest(rule, spec)) return {};
  for (const ProgramPattern& pattern : rule.programs) {
    if (!Fits(pattern, argv)) continue;
    std::vector<std::string> run = argv;
    // A search would go by PATH.
    run[0] = pattern.path;
    return run;
  }
  return {};
}

absl::Status Refused(absl::string_view why) {
  return Error(absl::StatusCode::kPermissionDenied, "POLICY_REFUSED", why);
}

}  // namespace

bool Sources::Have(const Caller& caller) const {
  if (any) return true;
  if (!caller.address) return false;
  return (local && caller.address->IsLoopback()) ||
         std::any_of(networks.begin(), networks.end(), [&](const net::Network& network) {
           return network.Contains(*caller.address);
         });
}

bool PolicyRule::IsFor(const Caller& caller) const {
  if (least_role && (!caller.role || *caller.role < *least_role)) return false;
  return sources.Have(caller);
}

bool SameRun(const Permit& one, const Permit& other) {
  return one.rule->name == other.rule->name &&
         one.rule->identity.name == other.rule->identity.name &&
         one.rule->sandbox == other.rule->sandbox;
}

std::vector<std::string> PlainWords(absl::string_view shell_command) {
  const std::vector<std::string> words =
      absl::StrSplit(shell_command, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  for (const std::string& word : words) {
    if (!std::all_of(word.begin(), word.end(), IsPlain)) return {};
  }
  if (words.empty() || absl::StrContains(words[0], '=')) return {};
  return words;
}

Policy::Policy(std::vector<PolicyRule> rules) {
  for (PolicyRule& rule : rules)
    rules_.push_back(std::make_shared<const PolicyRule>(std::move(rule)));
}

Policy Policy::LocalOnly(Identity identity, Sandbox sandbox) {
  Policy policy({{.name = "local",
                  .sources = {.local = true},
                  .identity = std::move(identity),
                  .sandbox = sandbox}});
  policy.given_ = false;
  return policy;
}

Confinement ConfinementBy(const Policy& policy) {
  Confinement all;
  for (const std::shared_ptr<const PolicyRule>& rule : policy.rules()) {
    if (rule->commands == Commands::kNone) continue;
    const bool first = !all.sandbox.has_value();
    all.sandbox = first ? rule->sandbox : std::min(*all.sandbox, rule->sandbox);
    if (first) {
      all.user = rule->identity.name;
    } else if (all.user != rule->identity.name) {
      all.user.clear();
    }
    // Who cannot change its user is not root.
    all.root = all.root || (rule->identity.change && rule->identity.user == 0);
  }
  return all;
}

absl::StatusOr<Permit> Policy::Check(const CommandSpec& spec, const Caller& caller) const {
  const std::vector<std::string> argv =
      spec.shell_command ? PlainWords(*spec.shell_command) : spec.argv;
  for (const std::shared_ptr<const PolicyRule>& rule : rules_) {
    if (!rule->IsFor(caller)) continue;
    if (rule->commands == Commands::kNone)
      return Refused(absl::StrCat("the policy's rule \"", rule->name, "\" refuses this"));
    std::vector<std::string> run = ArgumentsBy(*rule, spec, argv);
    if (run.empty()) continue;
    if (spec.timeout > rule->timeout_max) {
      return FieldError(
          "timeout", "BAD_TIMEOUT",
          absl::StrCat("the timeout is longer than the ", absl::FormatDuration(rule->timeout_max),
                       " of the rule \"", rule->name, "\""));
    }
    return Permit{.rule = rule, .argv = std::move(run)};
  }
  return Refused(absl::StrCat("no rule of the policy lets ",
                              caller.address ? caller.address->ToUri() : "an unknown client",
                              " run this"));
}

}  // namespace rawgate::exec
