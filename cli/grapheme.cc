#include "cli/grapheme.h"

#include "cli/code_point.h"

namespace rawgate::cli {
namespace {

constexpr int kAddedMax = 10;
constexpr char32_t kNonJoiner = 0x200C;
constexpr char32_t kJoiner = 0x200D;

bool IsRegionalIndicator(char32_t c) { return c >= 0x1F1E6 && c <= 0x1F1FF; }

bool IsSkinTone(char32_t c) { return c >= 0x1F3FB && c <= 0x1F3FF; }

// From Arabic to Sinhala: letters that change their form with their neighbours.
bool IsJoiningLetter(char32_t c) { return c >= 0x600 && c <= 0xDFF; }

bool IsMark(char32_t c) { return !IsControlOrFormat(c) && CodePointWidth(c) == 0; }

// Bytes of `rest` that belong to the cluster whose last base is `base`; moves `base` on.
size_t AddedLength(absl::string_view rest, char32_t& base) {
  if (rest.empty()) return 0;
  const CodePoint next = DecodeUtf8(rest);
  if (next.length == 0) return 0;
  if (next.value == kJoiner || next.value == kNonJoiner) {
    const absl::string_view beyond = rest.substr(next.length);
    if (beyond.empty()) return 0;
    const CodePoint joined = DecodeUtf8(beyond);
    if (joined.length == 0) return 0;
    if (IsJoiningLetter(base) && IsJoiningLetter(joined.value)) return next.length;
    if (next.value != kJoiner || !IsPictograph(base) || !IsPictograph(joined.value)) return 0;
    base = joined.value;
    return next.length + joined.length;
  }
  if (IsMark(next.value)) return next.length;
  return IsSkinTone(next.value) && IsPictograph(base) ? next.length : 0;
}

}  // namespace

size_t GraphemeLength(absl::string_view text) {
  const CodePoint first = DecodeUtf8(text);
  if (first.length == 0) return 1;
  if (IsControlOrFormat(first.value) || IsMark(first.value)) return first.length;
  size_t length = first.length;
  char32_t base = first.value;
  if (IsRegionalIndicator(base) && length < text.size()) {
    const CodePoint second = DecodeUtf8(text.substr(length));
    return IsRegionalIndicator(second.value) ? length + second.length : length;
  }
  for (int added = 0; added < kAddedMax; ++added) {
    const size_t more = AddedLength(text.substr(length), base);
    if (more == 0) break;
    length += more;
  }
  return length;
}

size_t LastGraphemeLength(absl::string_view text) {
  size_t length = 0;
  while (!text.empty()) {
    length = GraphemeLength(text);
    text.remove_prefix(length);
  }
  return length;
}

}  // namespace rawgate::cli
