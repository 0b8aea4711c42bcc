// Words that drawings and the frame of all lessons use.
#pragma once

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "cli/lab/text.h"

namespace rawgate::cli::lab {

absl::Span<const Text> CommonTexts();

// The common text of `key`; `key` itself where there is none, as names of the API are alike in all
// languages.
absl::string_view Word(absl::string_view key, Language language);

}  // namespace rawgate::cli::lab
