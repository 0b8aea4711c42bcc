// What fuzz targets share. A target is a file <stem>_fuzz.cc beside the code that it tests; it
// defines libFuzzer's LLVMFuzzerTestOneInput(), which takes any bytes, does something with them
// and has nothing to say unless a promise of that code is broken. It keeps nothing from one input
// to the next, so that an input alone repeats a finding.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/string_view.h"

namespace rawgate::testing {

// Ends the program, which is a finding, unless `holds`. `promise` says what should have been.
inline void Expect(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", promise);
  std::abort();
}

// Takes an input apart from its front. What is asked for when nothing is left is 0 or empty.
class FuzzInput {
 public:
  FuzzInput(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  bool empty() const { return rest_.empty(); }

  uint8_t TakeByte() {
    if (rest_.empty()) return 0;
    const auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }

  // From `min` to `max`, both included, of as many bytes as that takes.
  uint64_t TakeNumber(uint64_t min, uint64_t max) {
    const uint64_t span = max - min;
    uint64_t number = 0;
    for (uint64_t left = span; left > 0; left >>= 8) number = number << 8 | TakeByte();
    return span == UINT64_MAX ? number : min + number % (span + 1);
  }

  absl::string_view TakeText(size_t size) {
    const absl::string_view text = rest_.substr(0, size);
    rest_.remove_prefix(text.size());
    return text;
  }

  // Up to `end`, which is dropped, or to the end.
  absl::string_view TakeUpTo(char end) {
    const absl::string_view text = rest_.substr(0, rest_.find(end));
    rest_.remove_prefix(std::min(text.size() + 1, rest_.size()));
    return text;
  }

  absl::string_view TakeRest() { return TakeText(rest_.size()); }

 private:
  absl::string_view rest_;
};

}  // namespace rawgate::testing
