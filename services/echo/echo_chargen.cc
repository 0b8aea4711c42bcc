#include "services/echo/echo_chargen.h"

#include <algorithm>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace rawgate::echo {
namespace {

constexpr char kFirstPrinting = ' ';
constexpr size_t kPrinting = 95;
constexpr double kTotalBytesPerSecond = 256 << 20;
constexpr std::chrono::microseconds kInterval{20'000};
// Of the loop's time for each connection's turn.
constexpr std::chrono::microseconds kTurn{20};

std::string Pattern(size_t lines) {
  std::string pattern;
  pattern.reserve(lines * kChargenLine);
  for (size_t line = 0; line < lines; ++line) {
    for (size_t column = 0; column < kChargenLine - 2; ++column) {
      pattern += static_cast<char>(kFirstPrinting + (line + column) % kPrinting);
    }
    pattern += "\r\n";
  }
  return pattern;
}

}  // namespace

absl::string_view ChargenFrom(uint64_t position) {
  static const auto* const pattern = new std::string(Pattern(10 * kPrinting));
  return absl::string_view(*pattern).substr(position % kChargenPeriod);
}

bool AbslParseFlag(absl::string_view text, ByteRate* rate, std::string* error) {
  if (absl::SimpleAtoi(text, &rate->bytes_per_second) && rate->bytes_per_second >= 1 &&
      rate->bytes_per_second <= ByteRate::kMax) {
    return true;
  }
  *error = absl::StrCat("is a number of bytes per second from 1 to ", ByteRate::kMax);
  return false;
}

std::string AbslUnparseFlag(ByteRate rate) { return absl::StrCat(rate.bytes_per_second); }

ChargenPace ChargenPace::Of(ByteRate rate, size_t open) {
  const auto connections = std::max<size_t>(open, 1);
  return {.bytes_per_second = std::min(static_cast<double>(rate.bytes_per_second),
                                       kTotalBytesPerSecond / static_cast<double>(connections)),
          .interval = std::max(kInterval, kTurn * static_cast<int64_t>(connections))};
}

size_t ChargenPacer::Allowed(const ChargenPace& pace, Time now) {
  const double share = pace.bytes_per_second * std::chrono::duration<double>(pace.interval).count();
  // A new connection is sent something at once.
  const double accrued =
      last_ == Time() ? std::max(share, 1.0)
                      : pace.bytes_per_second * std::chrono::duration<double>(now - last_).count();
  last_ = now;
  // At low rates what is left is part of a byte, which must not be lost.
  allowance_ = std::min(allowance_ + accrued, share + std::max(share, 1.0));
  return static_cast<size_t>(std::max(allowance_, 0.0));
}

}  // namespace rawgate::echo
