// What a lesson says, in every language that it says it in, and the figures that are put into it.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace rawgate::cli::lab {

enum class Language { kEnglish, kChinese };

// One piece of text. "{name}" in it stands for the fact of that name.
struct Text {
  absl::string_view key;
  absl::string_view english;
  absl::string_view chinese;
};

// Something that a run measured. Its name is lowerCamelCase, as in the JSON of the run.
struct Fact {
  std::string name;
  std::variant<int64_t, absl::Duration, std::string> value;
};
using Facts = std::vector<Fact>;

// "40.1 ms", "12.4 us", "1.2 s": for people, alike in all languages, and at most 8 columns wide.
std::string Figure(absl::Duration duration);
// How the value is shown to people; text of the far side as Printable().
std::string Figure(const Fact& fact);

// The text of `key`, or an empty one.
absl::string_view Find(absl::Span<const Text> texts, absl::string_view key, Language language);

// `text` with the facts in it. A name that is not among `facts` stays as it is, braces and all.
std::string Fill(absl::string_view text, const Facts& facts);

// The names in braces, in order, each once.
std::vector<std::string> PlaceholdersOf(absl::string_view text);

// "zh" where the environment (LC_ALL, LC_MESSAGES, LANG: the first that is set) asks for Chinese.
Language LanguageOfEnvironment();
// Whether the environment's character set (LC_ALL, LC_CTYPE, LANG) is UTF-8.
bool EnvironmentIsUtf8();

}  // namespace rawgate::cli::lab
