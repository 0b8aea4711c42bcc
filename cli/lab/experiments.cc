// What several experiments do.
#include <algorithm>

#include "cli/lab/lessons.h"

namespace rawgate::cli::lab {

absl::Status Settle(ClientSocket& socket) {
  constexpr int kExchanges = 4;
  for (int i = 0; i < kExchanges; ++i) {
    if (absl::Status sent = socket.Send("settle"); !sent.ok()) return sent;
    const auto answer = socket.ReceiveAll(6);
    if (!answer.ok()) return answer.status();
  }
  return absl::OkStatus();
}

int64_t CountReads(const Scene& scene, Side side) {
  int64_t reads = 0;
  for (const Step& step : scene.steps) {
    const bool is_read = step.side == side && step.kind == StepKind::kCall && step.what == "recv";
    if (is_read && step.bytes.value_or(0) > 0) reads += step.count;
  }
  return reads;
}

}  // namespace rawgate::cli::lab
