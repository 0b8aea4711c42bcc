#include "cli/smooth_rate.h"

#include <algorithm>

namespace rawgate::cli {

void SmoothRate::Sample(absl::Time now, uint64_t total) {
  points_[next_] = {now, total};
  next_ = (next_ + 1) % kSamplesMax;
  count_ = std::min(count_ + 1, kSamplesMax);
  const auto oldest = [&] { return points_[(next_ - count_ + kSamplesMax) % kSamplesMax]; };
  while (count_ > 2 && now - oldest().time > kWindow) --count_;
}

double SmoothRate::PerSecond() const {
  if (count_ < 2) return 0;
  const Point& oldest = points_[(next_ - count_ + kSamplesMax) % kSamplesMax];
  const Point& newest = points_[(next_ - 1 + kSamplesMax) % kSamplesMax];
  const double seconds = absl::ToDoubleSeconds(newest.time - oldest.time);
  // Bytes that have to be moved again count less than none.
  if (seconds <= 0 || newest.total <= oldest.total) return 0;
  return static_cast<double>(newest.total - oldest.total) / seconds;
}

}  // namespace rawgate::cli
