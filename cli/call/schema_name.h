// Methods and types by as much of their names as tells them apart.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rawgate::cli {

// The one of `names` ("rawgate.time.v1.TimeService/GetTime") that `typed` is, or names: its parts,
// between '.' and '/', are parts of the name in that order, whatever their case, and the last is
// the last. "GetTime", "time.GetTime" and "TimeService/GetTime" all are the one above; a name that
// is the same from its beginning or its end on goes before others. `noun` is for messages, such as
// "method". Errors: NOT_FOUND (UNKNOWN_NAME), with what may have been meant; INVALID_ARGUMENT
// (AMBIGUOUS_NAME), with all that fit.
absl::StatusOr<std::string> ResolveName(absl::string_view typed,
                                        const std::vector<std::string>& names,
                                        absl::string_view noun);

}  // namespace rawgate::cli
