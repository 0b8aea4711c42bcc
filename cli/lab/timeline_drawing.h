// A recording as a drawing of text: two lifelines with time going down. Left and right of them are
// calls of client and service, between them what was on the way.
#pragma once

#include <string>

#include "absl/types/span.h"
#include "cli/lab/recording.h"
#include "cli/lab/text.h"

namespace rawgate::cli::lab {

struct DrawingOptions {
  // Of the drawing; at least 60.
  int columns = 80;
  // Without, nothing but ASCII is drawn. (Texts are what they are.)
  bool unicode = true;
  bool colored = false;
  Language language = Language::kEnglish;
  // The lesson's: titles of scenes, labels of bars.
  absl::Span<const Text> texts;
};

// Rows, each at most `columns` wide, without blanks at its end and with its newline: the scene's
// title, its timeline where it has steps, its bars where it has any. Times are milliseconds since
// the scene began.
std::string DrawScene(const Scene& scene, const DrawingOptions& options);

// What is written at a call: `recv 5 "hello"`, at most `columns` (at least 12) wide; the payload
// gives way.
std::string CallLabel(const Step& step, Language language, int columns);
// What is written at an arrow: "5 B", "3 segments, 45 B", "FIN".
std::string WireLabel(const Step& step, Language language);

// A pause worth a row of its own before `step`: more than a fifth of all the time, and than 1 ms.
bool IsPause(const Scene& scene, absl::Duration gap);

}  // namespace rawgate::cli::lab
