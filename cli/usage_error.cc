#include "cli/usage_error.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cli/display_text.h"
#include "cli/shielded_words.h"
#include "cli/suggestion.h"

namespace rawgate::cli {
namespace {

// What other tools call what we have.
struct Synonym {
  absl::string_view word;
  absl::string_view command;
};

// The first counts whose command there is: "context" has others than `rawgate`.
constexpr std::array kSynonyms = std::to_array<Synonym>({
    {"create", "add"}, {"delete", "remove"}, {"get", "show"},     {"ls", "list"},
    {"new", "add"},    {"rm", "remove"},     {"switch", "use"},   {"cat", "get"},
    {"cp", "put"},     {"delete", "rm"},     {"download", "get"}, {"events", "watch"},
    {"exec", "run"},   {"info", "stat"},     {"list", "ls"},      {"logs", "attach"},
    {"rename", "mv"},  {"services", "ps"},   {"ssh", "shell"},    {"status", "ps"},
    {"time", "date"},  {"upload", "put"},
});

bool IsOption(const std::string& word) { return word.size() > 1 && word[0] == '-'; }

std::vector<std::string> ShownCommands(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) {
    if (!command->get_group().empty()) names.push_back(command->get_name());
  }
  return names;
}

// Those of the command and of all that it belongs to.
std::vector<std::string> OptionNames(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* app = &command; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        names.push_back(absl::StrCat("--", name));
      }
    }
  }
  return names;
}

std::string NoSuchOption(const CLI::App& command, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  const bool is_long = name.compare(0, 2, "--") == 0;
  if (name == "--plain" && command.get_option_no_throw("--json") != nullptr)
    return "there is no --plain of what is no table; --json there is.";
  return absl::StrCat("no such option: ", Printable(is_long ? name : word),
                      is_long ? absl::StrCat(".", DidYouMean(name, OptionNames(command))) : ".");
}

}  // namespace

const CLI::App& ParsedCommand(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : ParsedCommand(*parsed.front());
}

std::string CommandPath(const CLI::App& app) {
  const CLI::App& command = ParsedCommand(app);
  std::string path;
  for (const CLI::App* each = &command; each != &app; each = each->get_parent()) {
    path = absl::StrCat(each->get_name(), path.empty() ? "" : " ", path);
  }
  return path;
}

const CLI::App* FindCommand(const CLI::App& app, const std::string& name) {
  const auto found =
      app.get_subcommands([&name](const CLI::App* command) { return command->get_name() == name; });
  return found.empty() ? nullptr : found.front();
}

std::string NoSuchCommand(const CLI::App& app, const std::string& word) {
  const std::vector<std::string> commands = ShownCommands(app);
  const auto synonym = std::find_if(kSynonyms.begin(), kSynonyms.end(), [&](const Synonym& known) {
    return known.word == word &&
           std::find(commands.begin(), commands.end(), known.command) != commands.end();
  });
  return absl::StrCat("no such command: ", Printable(word), ".",
                      synonym == kSynonyms.end()
                          ? DidYouMean(word, commands)
                          : absl::StrCat(" Did you mean ", synonym->command, "?"));
}

const CLI::App& FindCommandPath(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* command = &app;
  for (const std::string& word : words) {
    const CLI::App* next = FindCommand(*command, word);
    if (next == nullptr) throw CLI::ValidationError(NoSuchCommand(*command, word));
    command = next;
  }
  return *command;
}

std::string UsageMessage(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = ParsedCommand(app);
  // What stands before the command's name is left to those that it belongs to.
  std::vector<std::string> left = app.remaining(/*recurse=*/true);
  for (std::string& word : left) word = Unshielded(word);
  // First of all: what is taken for an argument may have been the value of what is no option.
  const auto option = std::find_if(left.begin(), left.end(), IsOption);
  if (option != left.end()) return NoSuchOption(command, *option);
  if (command.get_require_subcommand_min() > 0 && command.get_subcommands().empty()) {
    if (!left.empty()) return NoSuchCommand(command, left.front());
    if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) return "no command.";
  }
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr && !left.empty()) {
    return absl::StrCat("one argument too many: ", Printable(left.front()), ".");
  }
  const std::string what = Printable(Unshielded(error.what()));
  return absl::StrCat(what, what.ends_with('?') || what.ends_with('.') ? "" : ".");
}

}  // namespace rawgate::cli
