// A run as JSON: one object, which docs/lessons/README.md describes.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/lab/recording.h"

namespace rawgate::cli::lab {

// "0.0401s": seconds, as durations are in the JSON of the API.
std::string JsonDuration(absl::Duration duration);

// On one line, with its newline. Payload is shown as by Printable().
std::string RecordingJson(absl::string_view lesson, const Take& take, int attempts);

}  // namespace rawgate::cli::lab
