#include "runtime/observe/counters.h"

namespace rawgate::observe {

absl::string_view CloseReasonName(CloseReason reason) {
  static constexpr std::array<absl::string_view, kCloseReasons> kNames = {
      "none",        "peer_closed",    "reset",         "idle",    "header_deadline",
      "stalled",     "protocol_error", "limit",         "stopped", "operator",
      "local_error", "refused",        "cross_protocol"};
  return kNames.at(static_cast<size_t>(reason));
}

absl::string_view DropReasonName(DropReason reason) {
  static constexpr std::array<absl::string_view, kDropReasons> kNames = {
      "",          "source_port", "source_address", "responder_port",
      "broadcast", "malformed",   "source_rate",    "global_rate",
      "size"};
  return kNames.at(static_cast<size_t>(reason));
}

uint64_t Counters::datagrams_dropped() const {
  uint64_t sum = 0;
  for (const Counter& count : dropped) sum += count.value();
  return sum;
}

}  // namespace rawgate::observe
