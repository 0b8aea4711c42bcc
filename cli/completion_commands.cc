// rawgate completion, and rawgate complete, which the scripts of the former call.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/command.h"
#include "cli/completion_candidates.h"
#include "cli/completion_point.h"
#include "cli/completion_scripts.h"
#include "cli/security.h"

namespace rawgate::cli {
namespace {

// Somebody waits at a prompt.
constexpr absl::Duration kWithin = absl::Seconds(1);

// --- completion

absl::StatusOr<int> PrintScript(absl::string_view script, const Context& context) {
  const absl::Status written = context.console.Out(script);
  if (!written.ok()) return written;
  return 0;
}

absl::string_view ScriptFor(const std::string& shell) {
  if (shell == "bash") return kBashCompletion;
  if (shell == "zsh") return kZshCompletion;
  if (shell == "fish") return kFishCompletion;
  throw CLI::ValidationError("SHELL", absl::StrCat("'", shell, "' is not bash, zsh or fish"));
}

// --- complete

// The gateway that the line says, connected to when it is first needed.
class LazyNames {
 public:
  explicit LazyNames(const absl::StatusOr<Settings>& settings) : settings_(settings) {}

  const LiveNames* Get() {
    if (tried_) return names_ ? &*names_ : nullptr;
    tried_ = true;
    if (!settings_.ok()) return nullptr;
    const absl::Time deadline = absl::Now() + kWithin;
    const absl::StatusOr<Security> security = LoadSecurity(SecurityOptionsOf(*settings_));
    if (!security.ok()) return nullptr;
    gateway_.emplace(settings_->Value("gateway"), *security);
    if (!gateway_->Connect(kWithin).ok()) return nullptr;
    names_.emplace(*gateway_, deadline);
    return &*names_;
  }

 private:
  const absl::StatusOr<Settings>& settings_;
  bool tried_ = false;
  std::optional<Gateway> gateway_;
  std::optional<LiveNames> names_;
};

std::vector<std::string> ContextNames() {
  std::vector<std::string> names;
  const absl::StatusOr<std::string> path = ConfigPath();
  if (!path.ok()) return names;
  const absl::StatusOr<Config> config = LoadConfig(*path);
  if (!config.ok()) return names;
  for (const auto& [name, values] : config->contexts) names.push_back(name);
  return names;
}

// A line for each candidate, its description behind a tab; ":files" and ":nospace" are for the
// script. Whatever fails, there are no candidates: somebody is typing.
absl::StatusOr<int> Complete(const CLI::App& app, const std::vector<std::string>& words,
                             const Context& context) {
  const CompletionPoint point = FindCompletionPoint(app, words);
  const absl::StatusOr<Settings> settings = LoadSettings(point.settings);
  LazyNames names(settings);
  const Candidates found =
      CandidatesAt(point, app, ContextNames(), [&names] { return names.Get(); });
  std::string text;
  for (const LiveName& word : found.words) {
    absl::StrAppend(&text, word.value, word.description.empty() ? "" : "\t", word.description,
                    "\n");
  }
  // Behind a folder, or a field's name, more is to be typed.
  if (found.words.size() == 1 && (absl::EndsWith(found.words.front().value, "/") ||
                                  absl::EndsWith(found.words.front().value, "=")))
    text += ":nospace\n";
  if (found.local_files) text += ":files\n";
  return PrintScript(text, context);
}

constexpr char kExamples[] =
    R"help(Examples:
  rawgate completion zsh > ~/.zfunc/_rawgate
  rawgate completion fish > ~/.config/fish/completions/rawgate.fish
  source <(rawgate completion bash)       for this shell; in ~/.bashrc for all

Commands, options, their values and names from the gateway are completed:
services, listeners, files, jobs, contexts. For these the gateway is asked, for
a second at most. Debian's package has all three in their places.)help";

}  // namespace

void AddCompletionCommands(CLI::App& app, Command& chosen) {
  CLI::App* completion = app.add_subcommand("completion", "Print what completes words in a shell");
  completion->group(kConfigurationGroup)->footer(kExamples);
  const auto script = std::make_shared<absl::string_view>();
  completion
      ->add_option_function<std::string>(
          "SHELL", [script](const std::string& shell) { *script = ScriptFor(shell); },
          "bash, zsh or fish")
      ->required();
  completion->callback([&chosen, script] {
    chosen.needs_gateway = false;
    chosen.run = [script](Context& context) { return PrintScript(*script, context); };
  });

  CLI::App* complete = app.add_subcommand("complete", "Tell what the last of WORDs may be");
  complete->group("");
  // For the usage alone: the words never pass through the parser.
  complete->add_option("WORD", "What is typed so far, after the program's name")
      ->expected(0, 1 << 20);
  complete->callback([&app, &chosen] {
    chosen.needs_gateway = false;
    chosen.run = [&app, words = chosen.words](Context& context) {
      return Complete(app, words, context);
    };
  });
}

}  // namespace rawgate::cli
