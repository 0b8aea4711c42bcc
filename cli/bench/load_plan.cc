#include "cli/bench/load_plan.h"

#include <chrono>

namespace rawgate::cli {

absl::Time LoadNow() {
  return absl::UnixEpoch() + absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

void LoadPlan::Begin(absl::Time now) {
  begin_ = now;
  measured_from_ = now + options_.warmup;
  end_ = measured_from_ + options_.duration;
}

std::optional<LoadPlan::Start> LoadPlan::Next(absl::Time now) {
  // In an open loop what is late starts all the same, as long as it should have started before.
  if (stopped_ || (!paced() && now >= end_)) return std::nullopt;
  const uint64_t number = next_.fetch_add(1, std::memory_order_relaxed);
  if (number >= options_.requests) return std::nullopt;
  if (options_.rate == 0) return Start{number, now};
  const absl::Time time = begin_ + absl::Seconds(static_cast<double>(number) / options_.rate);
  if (time >= end_) return std::nullopt;
  return Start{number, time};
}

}  // namespace rawgate::cli
