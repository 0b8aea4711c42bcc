#include "cli/shielded_words.h"

#include <algorithm>
#include <utility>

namespace rawgate::cli {

void ShieldWords(std::vector<std::string>& words) {
  for (std::string& word : words) {
    if (!word.empty() && word.front() == '[' && word.back() == ']') word.insert(0, 1, '\0');
  }
}

std::string Unshielded(std::string word) {
  word.erase(std::remove(word.begin(), word.end(), '\0'), word.end());
  return word;
}

void UnshieldValues(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) option->transform(Unshielded);
  for (CLI::App* subcommand : app.get_subcommands({})) UnshieldValues(*subcommand);
}

}  // namespace rawgate::cli
