// Bytes from the network are not let loose on a terminal: an escape sequence among them could do
// anything to it.
#pragma once

#include <algorithm>
#include <string>

// Whatever is not printable ASCII as '?'. Who wants UTF-8 has to check it, and to drop U+0080 to
// U+009F.
inline std::string Printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}
