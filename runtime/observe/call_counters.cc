#include "runtime/observe/call_counters.h"

namespace rawgate::observe {
namespace {

constexpr size_t kUnknown = 2;

}  // namespace

absl::string_view StatusCodeLabel(size_t code) {
  static constexpr std::array<absl::string_view, kStatusCodes> kLabels = {
      "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
      "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
      "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
      "DataLoss", "Unauthenticated"};
  return kLabels[code < kLabels.size() ? code : kUnknown];
}

void CallCounters::CountHandled(int code, absl::Duration duration) {
  const auto index = static_cast<size_t>(code);
  handled[index < handled.size() ? index : kUnknown].Add();
  handling.Observe(duration);
}

}  // namespace rawgate::observe
