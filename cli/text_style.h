// A few colours (ECMA-48, SGR) for terminals.
#pragma once

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace rawgate::cli {

// In the palette that people have chosen for their terminal.
enum class Style { kPlain, kFaint, kOwn, kUnread };

// `text` in that style; as it is when `colored` is false.
inline std::string Styled(absl::string_view text, Style style, bool colored) {
  if (!colored || style == Style::kPlain || text.empty()) return std::string(text);
  const absl::string_view begin = style == Style::kFaint ? "\x1b[2m"
                                  : style == Style::kOwn ? "\x1b[36m"
                                                         : "\x1b[1;33m";
  return absl::StrCat(begin, text, "\x1b[0m");
}

}  // namespace rawgate::cli
