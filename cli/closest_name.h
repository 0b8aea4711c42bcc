// What somebody may have meant who mistyped a name.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace rawgate::cli {

// Those of `names` that `typed` is near to, the nearest first and at most three: by letters that
// are wrong, missing, too many or swapped, whatever their case, at most a third of them; or by
// being their beginning.
std::vector<std::string> ClosestNames(absl::string_view typed,
                                      const std::vector<std::string>& names);

// ". Did you mean a, b or c?" of ClosestNames(); empty when there is none.
std::string DidYouMean(absl::string_view typed, const std::vector<std::string>& names);

}  // namespace rawgate::cli
