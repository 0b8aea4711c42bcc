#include "cli/transfer_retry.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "absl/random/random.h"
#include "absl/strings/string_view.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

constexpr absl::Duration kFirstDelay = absl::Milliseconds(200);
constexpr double kGrowth = 2.2;

constexpr std::array<absl::string_view, 5> kPassingReasons = {
    "WRONG_OFFSET", "UPLOAD_COMPLETING", "STALLED", "TOO_MANY_CALLS", "TOO_MANY_UPLOADS"};

}  // namespace

bool IsPassing(const absl::Status& failure) {
  if (absl::IsUnavailable(failure) || absl::IsDeadlineExceeded(failure)) return true;
  const std::string reason = ReasonOf(failure);
  return std::find(kPassingReasons.begin(), kPassingReasons.end(), reason) != kPassingReasons.end();
}

bool RetryPacer::Wait(const absl::Status& failure) {
  if (failures_ >= retries_) return false;
  absl::Duration delay = kFirstDelay * std::pow(kGrowth, failures_);
  delay = std::min(delay, longest_);
  if (const auto asked = RetryAfterOf(failure)) delay = std::max(delay, std::min(*asked, kPatient));
  ++failures_;
  // Not in step with the other transfers that broke at the same moment.
  thread_local absl::BitGen random;
  delay *= absl::Uniform(random, 1.0, 1.2);
  return !stop_.WaitForNotificationWithTimeout(delay);
}

}  // namespace rawgate::cli
