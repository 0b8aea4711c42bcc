#include "services/time/time_format_cache.h"

#include <algorithm>

namespace rawgate::timesvc {

size_t FormatCache::Format(absl::string_view format, std::time_t second, std::span<char> out) {
  if (second != second_) {
    time_ = BreakDown(second);
    second_ = second;
    count_ = 0;
    next_ = 0;
  }
  out = out.first(std::min(out.size(), kTextMax));
  if (format.size() > kFormatMax) return FormatTime(format, time_, out);
  const Entry& entry = Find(format);
  // A result that is cut is a beginning of the whole, so the whole serves every limit.
  const size_t size = std::min(entry.text_size, out.size());
  std::copy_n(entry.text.data(), size, out.data());
  return size;
}

const FormatCache::Entry& FormatCache::Find(absl::string_view format) {
  for (size_t i = 0; i < count_; ++i) {
    const Entry& entry = entries_[i];
    if (absl::string_view(entry.format.data(), entry.format_size) == format) return entry;
  }
  Entry& entry = entries_[next_];
  next_ = (next_ + 1) % kEntriesMax;
  count_ = std::min(count_ + 1, kEntriesMax);
  entry.format_size = format.copy(entry.format.data(), entry.format.size());
  entry.text_size = FormatTime(format, time_, entry.text);
  return entry;
}

}  // namespace rawgate::timesvc
