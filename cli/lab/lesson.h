// A lesson: an experiment with raw sockets, and what there is to say about it.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "cli/lab/recording.h"
#include "cli/lab/text.h"

namespace rawgate::cli::lab {

class Stage;

// Runs once. Errors are reasons why it cannot run at all; that it did not show what it should is
// Take::shown.
using Experiment = absl::StatusOr<Take> (*)(Stage& stage);

struct Lesson {
  // As typed.
  absl::string_view id;
  // Belongs to the one before it in the list that is no part.
  bool is_part = false;
  // One after another; each is tried again by itself when it did not show what it should.
  std::vector<Experiment> experiments;
  // Has "<id>.title", "<id>.see", "<id>.cure" and "<id>.try", where <id> is the lesson's, and
  // whatever its experiments name: "scene.*", happened, why_not, labels.
  absl::Span<const Text> texts;
  // What cures it, in Python.
  absl::string_view code;
};

// In the order in which one learns them.
const std::vector<Lesson>& Lessons();

// Null when there is none.
const Lesson* FindLesson(absl::string_view id);

// How often an experiment is run that does not show what it should.
inline constexpr int kAttempts = 8;

}  // namespace rawgate::cli::lab
