// What each lesson says, for the list of them (lessons.cc).
#pragma once

#include "absl/types/span.h"
#include "cli/lab/text.h"

namespace rawgate::cli::lab {

absl::Span<const Text> CoalescingTexts();
absl::Span<const Text> FramingTexts();
absl::Span<const Text> NagleTexts();
absl::Span<const Text> HalfCloseTexts();
absl::Span<const Text> VanishedTexts();
absl::Span<const Text> BackPressureTexts();
absl::Span<const Text> BacklogTexts();
absl::Span<const Text> DatagramsTexts();
absl::Span<const Text> LatencyTexts();

}  // namespace rawgate::cli::lab
