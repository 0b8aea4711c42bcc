// Code points of UTF-8 text, and what a terminal makes of them.
#pragma once

#include <cstddef>

#include "absl/strings/string_view.h"

namespace rawgate::cli {

struct CodePoint {
  char32_t value;
  // Bytes; 0 when they are no UTF-8.
  size_t length;
};

// The first code point of `text`, which is not empty, by table 3-7 of the Unicode standard: no
// overlong forms, no surrogates, nothing above U+10FFFF.
CodePoint DecodeUtf8(absl::string_view text);

// Columns of a terminal: 0 for marks that combine with what is before them, 2 for wide ones. Where
// terminals differ, the most that one of them takes.
int CodePointWidth(char32_t c);

// Those that act on the terminal or on the characters around them instead of being one: C0, DEL and
// C1, line and paragraph separators, joiners, directional marks, embeddings, overrides and
// isolates, the byte order mark and the other invisible format characters.
bool IsControlOrFormat(char32_t c);

// Arrows, symbols and emoji: all that emoji sequences are made of (UTS #51), and some more.
bool IsPictograph(char32_t c);

}  // namespace rawgate::cli
