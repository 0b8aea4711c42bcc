// What people call a character: a letter with its accents, an emoji with all that was joined to it.
#pragma once

#include <cstddef>

#include "absl/strings/string_view.h"

namespace rawgate::cli {

// Bytes of the first grapheme cluster of `text`, which is not empty; 1 where it is no UTF-8. The
// rules of UAX #29 that a line editor needs: combining marks and variation selectors, skin tones,
// emoji joined by U+200D, pairs of regional indicators, and the joiners between letters of Arabic
// and the scripts of India. A cluster that begins with a mark or a format character is that one
// alone. At most 10 code points are added to the first: more marks on one letter are no text.
size_t GraphemeLength(absl::string_view text);

// Bytes of the last one; 0 for an empty text.
size_t LastGraphemeLength(absl::string_view text);

}  // namespace rawgate::cli
