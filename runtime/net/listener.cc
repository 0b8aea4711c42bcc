#include "runtime/net/listener.h"

#include <atomic>

namespace rawgate::net {

uint64_t NextConnectionId() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace rawgate::net
