// A lesson as text for people: around the drawings what there is to say about them.
#pragma once

#include <string>

#include "cli/lab/lesson.h"
#include "cli/lab/timeline_drawing.h"

namespace rawgate::cli::lab {

// Before the run: title, and what will be seen. Text of all pages is at most 100 wide.
std::string PageBefore(const Lesson& lesson, const DrawingOptions& options);

// After it: the drawings, what happened, what to do about it, what to try next.
std::string PageAfter(const Lesson& lesson, const Take& take, int attempts,
                      const DrawingOptions& options);

// Why a run did not show what it should: one line with its newline. It is run `attempts` times at
// most; after the last of these there is no other.
std::string NotShownLine(const Lesson& lesson, const Take& take, int attempt, int attempts,
                         Language language);

// One of a lesson's own texts: "title", "see", "cure", "try".
absl::string_view OwnText(const Lesson& lesson, absl::string_view what, Language language);

}  // namespace rawgate::cli::lab
