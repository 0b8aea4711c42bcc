#include "runtime/net/listener.h"

#include <atomic>

namespace rawgate::net {

uint64_t NextConnectionId() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

void Listener::SetFaults(const Faults& faults) {
  faults_ = faults;
  fault_counters_ = {};
  faulty.store(!faults.empty(), std::memory_order_relaxed);
  ApplyFaults();
}

void Listener::CountFault(FaultKind kind, uint64_t connection_id, const std::string& peer,
                          bool received) {
  fault_counters_.Count(kind);
  events_.Record(name_, connection_id, [&] {
    return observe::FaultHit{std::string(FaultName(kind)), peer, received};
  });
}

}  // namespace rawgate::net
