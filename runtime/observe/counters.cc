#include "runtime/observe/counters.h"

namespace rawgate::observe {

absl::string_view CloseReasonName(CloseReason reason) {
  static constexpr std::array<absl::string_view, kCloseReasons> kNames = {
      "none",        "peer_closed",    "reset",         "idle",    "header_deadline",
      "stalled",     "protocol_error", "limit",         "stopped", "operator",
      "local_error", "refused",        "cross_protocol"};
  return kNames.at(static_cast<size_t>(reason));
}

}  // namespace rawgate::observe
