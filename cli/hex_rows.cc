#include "cli/hex_rows.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace rawgate::cli {
namespace {

constexpr size_t kWideRow = 16;
constexpr size_t kNarrowRow = 8;
constexpr int kWideColumns = 76;
// What four digits of an offset tell.
constexpr size_t kMost = 0x10000;

std::string Row(absl::string_view bytes, size_t offset, size_t row_size) {
  std::string digits;
  std::string characters;
  for (size_t i = 0; i < row_size; ++i) {
    if (i > 0) digits += i % kNarrowRow == 0 ? "  " : " ";
    if (i >= bytes.size()) {
      digits += "  ";
      continue;
    }
    const auto byte = static_cast<unsigned char>(bytes[i]);
    absl::StrAppend(&digits, absl::Hex(byte, absl::kZeroPad2));
    characters += absl::ascii_isprint(byte) ? bytes[i] : '.';
  }
  return absl::StrFormat("  %04x  %s  |%s|\n", offset, digits, characters);
}

}  // namespace

std::string HexRows(absl::string_view bytes, int columns) {
  bytes = bytes.substr(0, kMost);
  const size_t row_size = columns > 0 && columns < kWideColumns ? kNarrowRow : kWideRow;
  std::string rows;
  for (size_t offset = 0; offset < bytes.size(); offset += row_size) {
    rows += Row(bytes.substr(offset, row_size), offset, row_size);
  }
  return rows;
}

}  // namespace rawgate::cli
