#include "services/chat/chat_text.h"

#include <boost/locale/utf.hpp>

namespace rawgate::chat {

bool IsValidUtf8(absl::string_view text) {
  namespace utf = boost::locale::utf;
  const char* next = text.data();
  const char* const end = next + text.size();
  while (next != end) {
    const utf::code_point c = utf::utf_traits<char>::decode(next, end);
    if (c == utf::illegal || c == utf::incomplete) return false;
  }
  return true;
}

absl::string_view Utf8Prefix(absl::string_view text, size_t size_max) {
  if (text.size() <= size_max) return text;
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; };
  size_t size = size_max;
  // A character has at most three continuation bytes; more of them are no UTF-8, and may be cut
  // anywhere.
  for (int i = 0; i < 3 && size > 0 && continues(text[size]); ++i) --size;
  return text.substr(0, continues(text[size]) ? size_max : size);
}

}  // namespace rawgate::chat
