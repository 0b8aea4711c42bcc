#include "cli/lab/page.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/display_text.h"
#include "cli/lab/common_text.h"
#include "cli/text_style.h"
#include "cli/wrapped_text.h"

namespace rawgate::cli::lab {
namespace {

constexpr int kMostTextColumns = 100;

std::string Wrapped(absl::string_view text, const DrawingOptions& options,
                    absl::string_view first = "", absl::string_view next = "") {
  const int columns = std::min(options.columns, kMostTextColumns) - DisplayWidth(first);
  std::string rows;
  for (const std::string& row : WrappedText(text, std::max(12, columns))) {
    absl::StrAppend(&rows, rows.empty() ? first : next, row, "\n");
  }
  return rows;
}

std::string Heading(absl::string_view what, const DrawingOptions& options) {
  return absl::StrCat(Styled(Word(absl::StrCat("heading.", what), options.language), Style::kStrong,
                             options.colored),
                      "\n");
}

std::string Indented(absl::string_view code) {
  std::string rows;
  for (const absl::string_view row : absl::StrSplit(code, '\n')) {
    absl::StrAppend(&rows, row.empty() ? "" : "    ", row, "\n");
  }
  return rows;
}

// Facts that are words, such as how a connection ended, in the language of the page.
Facts InWords(Facts facts, Language language) {
  for (Fact& fact : facts) {
    if (auto* word = std::get_if<std::string>(&fact.value))
      *word = std::string(Word(*word, language));
  }
  return facts;
}

absl::Duration LargestShift(const Take& take) {
  absl::Duration largest;
  for (const Scene& scene : take.scenes) {
    if (absl::AbsDuration(scene.clock_shift) > absl::AbsDuration(largest)) {
      largest = scene.clock_shift;
    }
  }
  return largest;
}

std::string Drawings(const Take& take, const DrawingOptions& options) {
  std::string text = Heading("run", options);
  bool has_steps = false;
  for (const Scene& scene : take.scenes) {
    absl::StrAppend(&text, "\n", DrawScene(scene, options));
    has_steps = has_steps || !scene.steps.empty();
  }
  if (has_steps) absl::StrAppend(&text, "\n", Wrapped(Word("legend", options.language), options));
  if (const absl::Duration shift = LargestShift(take); shift != absl::ZeroDuration()) {
    const Facts facts = {{"shift", shift}};
    absl::StrAppend(&text, Wrapped(Fill(Word("shifted", options.language), facts), options));
  }
  return text;
}

}  // namespace

absl::string_view OwnText(const Lesson& lesson, absl::string_view what, Language language) {
  return Find(lesson.texts, absl::StrCat(lesson.id, ".", what), language);
}

std::string PageBefore(const Lesson& lesson, const DrawingOptions& options) {
  const std::string title(OwnText(lesson, "title", options.language));
  return absl::StrCat(Styled(title, Style::kStrong, options.colored), "\n",
                      std::string(static_cast<size_t>(DisplayWidth(title)), '='), "\n\n",
                      Heading("see", options),
                      Wrapped(OwnText(lesson, "see", options.language), options), "\n");
}

std::string PageAfter(const Lesson& lesson, const Take& take, int attempts,
                      const DrawingOptions& options) {
  std::string text = absl::StrCat(Drawings(take, options), "\n", Heading("happened", options));
  const Facts facts = InWords(take.facts, options.language);
  for (const std::string& key : take.happened) {
    absl::StrAppend(&text, Wrapped(Fill(Find(lesson.texts, key, options.language), facts), options,
                                   "- ", "  "));
  }
  if (!take.shown) {
    const std::string line = NotShownLine(lesson, take, attempts, attempts, options.language);
    absl::StrAppend(&text, "\n", Wrapped(line, options));
  }
  absl::StrAppend(&text, "\n", Heading("cure", options),
                  Wrapped(OwnText(lesson, "cure", options.language), options), "\n",
                  Indented(lesson.code), "\n", Heading("try", options));
  for (const absl::string_view line :
       absl::StrSplit(OwnText(lesson, "try", options.language), '\n')) {
    absl::StrAppend(&text, Wrapped(line, options, "- ", "  "));
  }
  return text;
}

std::string NotShownLine(const Lesson& lesson, const Take& take, int attempt, int attempts,
                         Language language) {
  const Facts facts = {{"attempt", int64_t{attempt}},
                       {"attempts", int64_t{attempts}},
                       {"reason", std::string(Find(lesson.texts, take.why_not, language))}};
  return absl::StrCat(Fill(Word(attempt < attempts ? "again" : "notShown", language), facts), "\n");
}

}  // namespace rawgate::cli::lab
