// FormatTime() for many clients that ask the same few things in the same second.
#pragma once

#include <array>
#include <ctime>
#include <optional>
#include <span>

#include "absl/strings/string_view.h"
#include "services/time/time_format.h"

namespace rawgate::timesvc {

// No conversion tells less than a second, so the last few short formats are remembered with what
// they yield in the current one. One thread.
class FormatCache {
 public:
  // Longest result.
  static constexpr size_t kTextMax = 1024;

  // As FormatTime() in the zone of the process, but at most kTextMax bytes.
  size_t Format(absl::string_view format, std::time_t second, std::span<char> out);

 private:
  // Longer formats are not worth comparing.
  static constexpr size_t kFormatMax = 64;
  static constexpr size_t kEntriesMax = 8;

  struct Entry {
    std::array<char, kFormatMax> format;
    size_t format_size = 0;
    std::array<char, kTextMax> text;
    size_t text_size = 0;
  };
  const Entry& Find(absl::string_view format);

  std::optional<std::time_t> second_;
  BrokenDownTime time_{};
  // Of `second_`; the first `count_` are in use. When all are, they are replaced in turn.
  std::array<Entry, kEntriesMax> entries_;
  size_t count_ = 0;
  size_t next_ = 0;
};

}  // namespace rawgate::timesvc
