// UTF-8 (RFC 3629) in messages, which may be any bytes. Any thread.
#pragma once

#include <cstddef>

#include "absl/strings/string_view.h"

namespace rawgate::chat {

bool IsValidUtf8(absl::string_view text);

// The beginning of `text`, at most `size_max` bytes, that does not end within a UTF-8 character.
absl::string_view Utf8Prefix(absl::string_view text, size_t size_max);

}  // namespace rawgate::chat
