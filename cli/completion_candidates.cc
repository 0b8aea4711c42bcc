#include "cli/completion_candidates.h"

#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "cli/command.h"
#include "cli/global_options.h"
#include "cli/local_path.h"
#include "cli/settings.h"
#include "cli/usage_error.h"

namespace rawgate::cli {
namespace {

enum class Kind {
  kChoices,
  kCommands,
  kConnections,
  kContexts,
  kFields,
  kFiles,
  kInstances,
  kJobs,
  kListeners,
  kLocalFiles,
  kMethods,
  kRunningJobs,
  kServices,
  kSettings,
  kUploads,
};

struct Rule {
  // "put", "context add"; empty: any.
  absl::string_view command;
  // An option, or an argument as the usage has it.
  absl::string_view name;
  Kind kind;
  // With blanks between, for kChoices.
  absl::string_view choices = {};
};

// The first that fits counts.
constexpr std::array kRules = std::to_array<Rule>({
    {"help", "COMMAND", Kind::kCommands},
    {"completion", "SHELL", Kind::kChoices, "bash zsh fish"},
    {"call", "METHOD", Kind::kMethods},
    {"call", "REQUEST", Kind::kFields},
    {"attach", "ID", Kind::kJobs},
    {"kill", "ID", Kind::kRunningJobs},
    {"kill", "SIGNAL", Kind::kChoices, "HUP INT QUIT TERM KILL USR1 USR2"},
    {"close", "ID", Kind::kConnections},
    {"ls", "FOLDER", Kind::kFiles},
    {"stat", "NAME", Kind::kFiles},
    {"get", "NAME", Kind::kFiles},
    {"rm", "NAME", Kind::kFiles},
    {"mv", "NAME", Kind::kFiles},
    {"mv", "NEW_NAME", Kind::kFiles},
    {"put", "--to", Kind::kFiles},
    {"uploads", "--abort", Kind::kUploads},
    {"echo", "--transform", Kind::kChoices, "upper identity"},
    {"new-token", "ROLE", Kind::kChoices, "viewer operator executor admin"},
    {"test-clock", "--leap", Kind::kChoices, "none 61 59 unsynchronised"},
    {"test-clock", "--kiss", Kind::kChoices, "DENY RSTR RATE"},
    {"config set", "SETTING", Kind::kSettings},
    {"config unset", "SETTING", Kind::kSettings},
    {"", "SERVICE", Kind::kServices},
    {"", "SERVICE[/LISTENER]", Kind::kListeners},
    {"", "SERVICE/LISTENER", Kind::kListeners},
    {"", "--instance", Kind::kInstances},
    {"", "--context", Kind::kContexts},
    {"", "CONTEXT", Kind::kContexts},
    {"", kLocalFile, Kind::kLocalFiles},
});

std::string PathOf(const CLI::App& command) {
  std::string path;
  for (const CLI::App* app = &command; app->get_parent() != nullptr; app = app->get_parent())
    path = absl::StrCat(app->get_name(), path.empty() ? "" : " ", path);
  return path;
}

const Rule* RuleOf(const CLI::App& command, const CLI::Option& option) {
  // A folder of this machine is one as well, whatever it is called.
  if (option.get_type_name() == kLocalFile) return &kRules.back();
  const std::string path = PathOf(command);
  const std::string name =
      option.get_positional() ? option.get_name(true, false) : option.get_name(false, false);
  const auto rule = std::find_if(kRules.begin(), kRules.end(), [&](const Rule& candidate) {
    return candidate.name == name && (candidate.command.empty() || candidate.command == path);
  });
  return rule == kRules.end() ? nullptr : &*rule;
}

std::vector<LiveName> CommandsOf(const CLI::App& app) {
  std::vector<LiveName> names;
  for (const CLI::App* command : app.get_subcommands({})) {
    if (!command->get_group().empty())
      names.push_back({command->get_name(), command->get_description()});
  }
  return names;
}

// What a validator of the definition allows: of "TYPE:{echo,time}", or "TYPE:value in {a->0,b->1}",
// these words.
std::vector<LiveName> ChoicesOf(const CLI::Option& option) {
  std::vector<LiveName> names;
  const std::string type = option.get_type_name();
  const size_t begin = type.find('{');
  const size_t end = type.find('}', begin);
  if (end == type.npos) return names;
  for (const absl::string_view choice :
       absl::StrSplit(type.substr(begin + 1, end - begin - 1), ',', absl::SkipEmpty())) {
    names.push_back({std::string(choice.substr(0, choice.find("->")))});
  }
  return names;
}

// Its own, then those that every command takes.
std::vector<LiveName> OptionsOf(const CLI::App& command) {
  std::vector<LiveName> own;
  std::vector<LiveName> global;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional()) continue;
    std::string description = absl::StrReplaceAll(option->get_description(), {{"\n", " "}});
    for (const std::string& name : option->get_lnames()) {
      (IsGlobalOption(*option) ? global : own).push_back({absl::StrCat("--", name), description});
    }
  }
  own.insert(own.end(), global.begin(), global.end());
  return own;
}

class Finder {
 public:
  Finder(const CompletionPoint& point, const CLI::App& app,
         const std::vector<std::string>& contexts, const Names& live)
      : point_(point), app_(app), contexts_(contexts), live_(live) {}

  Candidates Find() const;

 private:
  std::vector<LiveName> Known(const Rule& rule) const;
  std::vector<LiveName> Live(Kind kind) const;
  // The first argument, without a listener.
  std::string Service() const;

  const CompletionPoint& point_;
  const CLI::App& app_;
  const std::vector<std::string>& contexts_;
  const Names& live_;
};

std::string Finder::Service() const {
  if (point_.arguments.empty()) return "";
  return point_.arguments.front().substr(0, point_.arguments.front().find('/'));
}

std::vector<LiveName> Finder::Live(Kind kind) const {
  const LiveNames* const live = live_();
  if (live == nullptr) return {};
  switch (kind) {
    case Kind::kServices:
      return live->Services();
    case Kind::kListeners: {
      std::vector<LiveName> names = live->Services();
      for (const LiveName& listener : live->Listeners()) names.push_back(listener);
      return names;
    }
    case Kind::kInstances:
      return live->Instances(Service());
    case Kind::kConnections:
      return live->Connections(Service());
    case Kind::kFiles:
      return live->Files(FolderPart(point_.typed));
    case Kind::kJobs:
      return live->Jobs(/*running_only=*/false);
    case Kind::kRunningJobs:
      return live->Jobs(/*running_only=*/true);
    case Kind::kUploads:
      return live->Uploads();
    case Kind::kMethods:
      return live->Methods();
    case Kind::kFields:
      return live->Fields(point_.arguments.empty() ? "" : point_.arguments.front());
    default:
      return {};
  }
}

std::vector<LiveName> Finder::Known(const Rule& rule) const {
  std::vector<LiveName> names;
  switch (rule.kind) {
    case Kind::kChoices:
      for (const absl::string_view word : absl::StrSplit(rule.choices, ' '))
        names.push_back({std::string(word)});
      return names;
    case Kind::kCommands:
      return CommandsOf(app_);
    case Kind::kContexts:
      for (const std::string& name : contexts_) names.push_back({name});
      return names;
    case Kind::kSettings:
      names.push_back({"context", "the one that commands use"});
      for (const SettingKind& kind : SettingKinds())
        names.push_back({std::string(kind.name), std::string(kind.description)});
      return names;
    case Kind::kLocalFiles:
      return names;
    default:
      return Live(rule.kind);
  }
}

Candidates Finder::Find() const {
  Candidates found;
  if (point_.wants_options) {
    found.words = OptionsOf(*point_.command);
  } else if (point_.option != nullptr) {
    const Rule* const rule = RuleOf(*point_.command, *point_.option);
    found.words = ChoicesOf(*point_.option);
    if (found.words.empty() && rule != nullptr) found.words = Known(*rule);
    found.local_files = rule != nullptr && rule->kind == Kind::kLocalFiles;
  } else if (point_.before.empty()) {
    found.words = CommandsOf(*point_.command);
  }
  const auto other = [this](const LiveName& name) {
    return !absl::StartsWith(name.value, point_.typed);
  };
  found.words.erase(std::remove_if(found.words.begin(), found.words.end(), other),
                    found.words.end());
  for (LiveName& name : found.words) name.value.insert(0, point_.before);
  return found;
}

}  // namespace

Candidates CandidatesAt(const CompletionPoint& point, const CLI::App& app,
                        const std::vector<std::string>& contexts, const Names& live) {
  return Finder(point, app, contexts, live).Find();
}

}  // namespace rawgate::cli
