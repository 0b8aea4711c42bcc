// A few colours (ECMA-48, SGR) for terminals.
#pragma once

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace rawgate::cli {

// In the palette that people have chosen for their terminal.
enum class Style { kPlain, kFaint, kStrong, kOwn, kUnread, kGood, kBad, kSelected };

// `text` in that style; as it is when `colored` is false.
inline std::string Styled(absl::string_view text, Style style, bool colored) {
  if (!colored || style == Style::kPlain || text.empty()) return std::string(text);
  constexpr absl::string_view kBegin[] = {"",           "\x1b[2m",  "\x1b[1m",  "\x1b[36m",
                                          "\x1b[1;33m", "\x1b[32m", "\x1b[31m", "\x1b[7m"};
  return absl::StrCat(kBegin[static_cast<size_t>(style)], text, "\x1b[0m");
}

// A line of headings, which keeps its newline out of the style.
inline std::string Heading(absl::string_view line, bool colored) {
  return absl::StrCat(Styled(absl::StripSuffix(line, "\n"), Style::kStrong, colored), "\n");
}

}  // namespace rawgate::cli
