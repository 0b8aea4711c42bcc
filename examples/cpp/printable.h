// Bytes from the network are not let loose on a terminal: an escape sequence among them could do
// anything to it.
#pragma once

#include <string>

// With '?' for control characters: those of ASCII, and U+0080 to U+009F, which UTF-8 begins by C2.
inline std::string Printable(std::string text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    const bool is_two = byte == 0xc2 && next >= 0x80 && next < 0xa0;
    if (is_two) text.erase(i + 1, 1);
    if (byte < 0x20 || byte == 0x7f || is_two) text[i] = '?';
  }
  return text;
}
