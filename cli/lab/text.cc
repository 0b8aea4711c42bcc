#include "cli/lab/text.h"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/display_text.h"

namespace rawgate::cli::lab {
namespace {

// The first of these variables that says something.
std::string FirstOf(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return absl::AsciiStrToLower(value);
  }
  return "";
}

}  // namespace

std::string Figure(absl::Duration duration) {
  if (duration < absl::ZeroDuration()) return absl::StrCat("-", Figure(-duration));
  if (duration < absl::Microseconds(100)) {
    return absl::StrFormat("%.1f us", absl::ToDoubleMicroseconds(duration));
  }
  if (duration < absl::Milliseconds(1)) {
    return absl::StrFormat("%.0f us", absl::ToDoubleMicroseconds(duration));
  }
  if (duration < absl::Milliseconds(10)) {
    return absl::StrFormat("%.2f ms", absl::ToDoubleMilliseconds(duration));
  }
  if (duration < absl::Seconds(1)) {
    return absl::StrFormat("%.1f ms", absl::ToDoubleMilliseconds(duration));
  }
  return absl::StrFormat("%.2f s", absl::ToDoubleSeconds(duration));
}

std::string Figure(const Fact& fact) {
  if (const auto* number = std::get_if<int64_t>(&fact.value)) return absl::StrCat(*number);
  if (const auto* duration = std::get_if<absl::Duration>(&fact.value)) return Figure(*duration);
  return Printable(std::get<std::string>(fact.value));
}

absl::string_view Find(absl::Span<const Text> texts, absl::string_view key, Language language) {
  const auto found =
      std::find_if(texts.begin(), texts.end(), [&](const Text& text) { return text.key == key; });
  if (found == texts.end()) return "";
  return language == Language::kChinese ? found->chinese : found->english;
}

std::string Fill(absl::string_view text, const Facts& facts) {
  std::string filled;
  while (!text.empty()) {
    const size_t open = text.find('{');
    const size_t close = open == text.npos ? text.npos : text.find('}', open);
    if (close == text.npos) break;
    const absl::string_view name = text.substr(open + 1, close - open - 1);
    const auto fact = std::find_if(facts.begin(), facts.end(),
                                   [&](const Fact& each) { return each.name == name; });
    absl::StrAppend(&filled, text.substr(0, open));
    absl::StrAppend(&filled, fact == facts.end() ? std::string(text.substr(open, close - open + 1))
                                                 : Figure(*fact));
    text.remove_prefix(close + 1);
  }
  absl::StrAppend(&filled, text);
  return filled;
}

std::vector<std::string> PlaceholdersOf(absl::string_view text) {
  std::vector<std::string> names;
  for (size_t open = text.find('{'); open != text.npos; open = text.find('{', open + 1)) {
    const size_t close = text.find('}', open);
    if (close == text.npos) break;
    std::string name(text.substr(open + 1, close - open - 1));
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(std::move(name));
    }
  }
  return names;
}

Language LanguageOfEnvironment() {
  return absl::StartsWith(FirstOf({"LC_ALL", "LC_MESSAGES", "LANG"}), "zh") ? Language::kChinese
                                                                            : Language::kEnglish;
}

bool EnvironmentIsUtf8() {
  const std::string locale = FirstOf({"LC_ALL", "LC_CTYPE", "LANG"});
  return absl::StrContains(locale, "utf-8") || absl::StrContains(locale, "utf8");
}

}  // namespace rawgate::cli::lab
