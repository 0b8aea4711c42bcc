// What chargen sends, and how fast: the Character Generator Protocol (RFC 864). Stateless but for
// ChargenPacer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace rawgate::echo {

// The pattern that RFC 864 recommends: lines of 72 characters and CR LF, each a window on the ring
// of the 95 printing ASCII characters, moved on by one from line to line. It repeats after 95
// lines.
inline constexpr size_t kChargenLine = 74;
inline constexpr size_t kChargenPeriod = 95 * kChargenLine;

// Of the endless pattern, what begins at byte `position`: at least kChargenRunMin bytes, in static
// memory.
inline constexpr size_t kChargenRunMin = 9 * kChargenPeriod;
absl::string_view ChargenFrom(uint64_t position);

// Of one connection.
struct ByteRate {
  static constexpr uint64_t kMax = 64 << 20;
  // 1 to kMax.
  uint64_t bytes_per_second = 1 << 20;
};
// For listener options: a decimal number.
bool AbslParseFlag(absl::string_view text, ByteRate* rate, std::string* error);
std::string AbslUnparseFlag(ByteRate rate);

// How one of `open` connections is served, so that however many there are the loop has time for
// others: all together have at most 50,000 turns and 256 MiB a second, shared alike.
struct ChargenPace {
  double bytes_per_second;
  // From one turn to the next.
  std::chrono::microseconds interval;

  static ChargenPace Of(ByteRate rate, size_t open);
};

// The allowance of one connection: what has accrued at its pace and was not sent.
class ChargenPacer {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Bytes that may be sent now. What a late turn or a slow reader missed is made up for by two
  // intervals' worth at most.
  size_t Allowed(const ChargenPace& pace, Time now);
  void Sent(size_t bytes) { allowance_ -= static_cast<double>(bytes); }

 private:
  double allowance_ = 0;
  // Of the last call; the epoch before the first.
  Time last_;
};

}  // namespace rawgate::echo
