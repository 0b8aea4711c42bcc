// "Did you mean ...?": which known words a mistyped one is near to.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace rawgate::cli {

// How many insertions, deletions, replacements and swaps of neighbours make `b` of `a`, no place
// being changed twice (optimal string alignment, after Damerau and Levenshtein). Byte by byte, in
// time that is the product of the lengths.
size_t EditDistance(absl::string_view a, absl::string_view b);

// Those of `known` that `word` may have been meant to be, each once and in the order of `known`:
// the nearest ones within a third of its length, but one edit at least; else those that begin with
// it; else those that it is in, or that are in it. Words of more than 64 bytes are near to none.
std::vector<std::string> Nearest(absl::string_view word, const std::vector<std::string>& known);

// " Did you mean start?", " Did you mean start or stop?"; empty when nothing is near, or more than
// three are. Safe for a terminal.
std::string DidYouMean(absl::string_view word, const std::vector<std::string>& known);

}  // namespace rawgate::cli
