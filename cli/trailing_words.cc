#include "cli/trailing_words.h"

#include <algorithm>
#include <cstddef>

namespace rawgate::cli {
namespace {

bool IsOption(const std::string& word) { return word.size() > 1 && word[0] == '-'; }

// Whether the option `word` has its value in the next word.
bool TakesNextWord(const CLI::App& app, const std::string& word) {
  const bool is_long = word.compare(0, 2, "--") == 0;
  if (is_long && word.find('=') != std::string::npos) return false;
  const CLI::Option* option = app.get_option_no_throw(is_long ? word : word.substr(0, 2));
  const bool takes_value = option != nullptr && option->get_items_expected_min() > 0;
  return takes_value && (is_long || word.size() == 2);
}

const CLI::App* FindSubcommand(const CLI::App& app, const std::string& name) {
  const auto found =
      app.get_subcommands([&](const CLI::App* candidate) { return candidate->get_name() == name; });
  return found.empty() ? nullptr : found.front();
}

}  // namespace

std::vector<std::string> TakeTrailingWords(const CLI::App& app,
                                           const std::vector<absl::string_view>& subcommands,
                                           std::vector<std::string>& words) {
  const CLI::App* current = &app;
  size_t i = 0;
  for (; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") break;
    if (IsOption(word)) {
      if (TakesNextWord(*current, word)) ++i;
    } else if (current == &app) {
      if (std::find(subcommands.begin(), subcommands.end(), word) == subcommands.end()) return {};
      current = FindSubcommand(app, word);
      if (current == nullptr) return {};
    } else {
      break;
    }
  }
  if (current == &app || i >= words.size()) return {};
  const auto first = words.begin() + static_cast<std::ptrdiff_t>(i);
  std::vector<std::string> trailing(first + (*first == "--" ? 1 : 0), words.end());
  words.erase(first, words.end());
  return trailing;
}

}  // namespace rawgate::cli
