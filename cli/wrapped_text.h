// Text from the far side in rows of a given width.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace rawgate::cli {

// `bytes` as rows of at most `columns` (at least 12), each safe as by Printable(). Line ends (LF or
// CR LF) begin a new row; one at the very end does not count. Rows break at blanks, and between
// wide characters but not before closing punctuation or behind opening; what has no such place is
// broken anywhere between two characters. At least one row.
std::vector<std::string> WrappedText(absl::string_view bytes, int columns);

}  // namespace rawgate::cli
