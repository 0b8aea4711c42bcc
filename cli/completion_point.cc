#include "cli/completion_point.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/settings.h"
#include "cli/usage_error.h"

namespace rawgate::cli {
namespace {

bool TakesValue(const CLI::Option* option) {
  return option != nullptr && option->get_items_expected_min() > 0;
}

class Walk {
 public:
  explicit Walk(const CLI::App& app) { point_.command = &app; }

  // A word that is complete.
  void Take(const std::string& word);
  // The last one.
  CompletionPoint Finish(const std::string& word);

 private:
  void TakeOption(const std::string& word);
  void TakeArgument(const std::string& word);
  void TakeValue(const std::string& value);
  const CLI::Option* ArgumentAt(size_t index) const;

  CompletionPoint point_;
  // Its value is the next word.
  const CLI::Option* pending_ = nullptr;
  bool only_arguments_ = false;
};

void Walk::Take(const std::string& word) {
  if (pending_ != nullptr) {
    TakeValue(word);
  } else if (word == "--") {
    only_arguments_ = true;
  } else if (!only_arguments_ && word.size() > 1 && word[0] == '-') {
    TakeOption(word);
  } else {
    TakeArgument(word);
  }
}

void Walk::TakeValue(const std::string& value) {
  const std::vector<std::string>& names = pending_->get_lnames();
  for (const std::string& name : names) {
    if (FindSettingKind(name) != nullptr || name == "context") point_.settings[name] = value;
  }
  pending_ = nullptr;
}

void Walk::TakeOption(const std::string& word) {
  const bool is_long = absl::StartsWith(word, "--");
  const size_t equals = is_long ? word.find('=') : word.npos;
  const CLI::Option* option =
      point_.command->get_option_no_throw(is_long ? word.substr(0, equals) : word.substr(0, 2));
  if (!TakesValue(option)) return;
  pending_ = option;
  if (equals != word.npos) {
    TakeValue(word.substr(equals + 1));
  } else if (!is_long && word.size() > 2) {
    TakeValue(word.substr(2));
  }
}

void Walk::TakeArgument(const std::string& word) {
  const CLI::App* command = FindCommand(*point_.command, word);
  if (command != nullptr) {
    point_.command = command;
  } else {
    point_.arguments.push_back(word);
  }
}

// The positional option that takes the argument number `index`.
const CLI::Option* Walk::ArgumentAt(size_t index) const {
  for (const CLI::Option* option : point_.command->get_options()) {
    if (!option->get_positional()) continue;
    const auto most = static_cast<size_t>(std::max(1, option->get_items_expected_max()));
    if (index < most) return option;
    index -= most;
  }
  return nullptr;
}

CompletionPoint Walk::Finish(const std::string& word) {
  point_.typed = word;
  if (pending_ != nullptr) {
    point_.option = pending_;
    return point_;
  }
  const size_t equals = word.find('=');
  if (!only_arguments_ && absl::StartsWith(word, "--") && equals != word.npos) {
    const CLI::Option* option = point_.command->get_option_no_throw(word.substr(0, equals));
    point_.before = word.substr(0, equals + 1);
    point_.typed = word.substr(equals + 1);
    point_.option = TakesValue(option) ? option : nullptr;
    return point_;
  }
  point_.wants_options = !only_arguments_ && absl::StartsWith(word, "-");
  if (!point_.wants_options) point_.option = ArgumentAt(point_.arguments.size());
  return point_;
}

}  // namespace

CompletionPoint FindCompletionPoint(const CLI::App& app, const std::vector<std::string>& words) {
  Walk walk(app);
  for (size_t i = 0; i + 1 < words.size(); ++i) walk.Take(words[i]);
  return walk.Finish(words.empty() ? "" : words.back());
}

}  // namespace rawgate::cli
