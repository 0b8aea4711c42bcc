// Bytes as rows of hexadecimal digits with their characters beside them, as of `hexdump -C`.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace rawgate::cli {

// "  0000  68 65 6c 6c 6f 77 6f 72  6c 64                    |helloworld|", a row for each 16
// bytes, each with its newline: 76 columns. Of 8 bytes, 43 columns, where `columns` is less (0: no
// limit). At most the first 64 KiB. What is no printable ASCII is a dot.
std::string HexRows(absl::string_view bytes, int columns);

}  // namespace rawgate::cli
