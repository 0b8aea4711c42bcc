#include "runtime/base/traceparent.h"

#include <algorithm>

namespace rawgate {
namespace {

constexpr size_t kBytesMax = 128;
// version "-" trace-id "-" parent-id "-" trace-flags
constexpr size_t kVersionBytes = 2;
constexpr size_t kTraceIdAt = 3;
constexpr size_t kTraceIdBytes = 32;
constexpr size_t kParentIdAt = 36;
constexpr size_t kParentIdBytes = 16;
constexpr size_t kFlagsAt = 53;
constexpr size_t kFlagsBytes = 2;
constexpr size_t kVersion0Bytes = 55;

// In lower case, as the document has it.
bool IsHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsId(absl::string_view text) {
  return IsHex(text) && text.find_first_not_of('0') != absl::string_view::npos;
}

}  // namespace

bool IsTraceparent(absl::string_view value) {
  if (value.size() < kVersion0Bytes || value.size() > kBytesMax) return false;
  const absl::string_view version = value.substr(0, kVersionBytes);
  if (!IsHex(version) || version == "ff") return false;
  for (const size_t dash : {kTraceIdAt - 1, kParentIdAt - 1, kFlagsAt - 1}) {
    if (value[dash] != '-') return false;
  }
  if (!IsId(value.substr(kTraceIdAt, kTraceIdBytes)) ||
      !IsId(value.substr(kParentIdAt, kParentIdBytes)) ||
      !IsHex(value.substr(kFlagsAt, kFlagsBytes))) {
    return false;
  }
  if (value.size() == kVersion0Bytes) return true;
  return version != "00" && value[kVersion0Bytes] == '-' &&
         std::all_of(value.begin(), value.end(), [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace rawgate
