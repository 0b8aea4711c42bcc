// A stream listener that misbehaves, and what its clients see of it.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "runtime/net/stream_listener_testing.h"

namespace rawgate::net {

inline constexpr Nanoseconds kMillisecond = 1'000'000;

class FaultRelayTest : public StreamListenerTest {
 protected:
  void Set(const Faults& faults) {
    thread_.Run([&] { listener_->SetFaults(faults); });
  }
  FaultCounters Counters() {
    return thread_.Run([&] { return listener_->fault_counters(); });
  }
  std::string PeerName() {
    return thread_.Run([&] {
      std::vector<ConnectionInfo> rows;
      listener_->List(0, 1, &rows);
      return rows.empty() ? "nobody" : rows[0].peer;
    });
  }
  // errno of what a read ends with; 0 for an end.
  static int EndOf(RawClient& client) {
    std::string buffer(65'536, '\0');
    for (;;) {
      const ssize_t n = ::recv(client.fd(), buffer.data(), buffer.size(), 0);
      if (n < 0) return errno;
      if (n == 0) return 0;
    }
  }
  // How many segments with data have come to it.
  static uint32_t SegmentsIn(const RawClient& client) {
    // tcpi_data_segs_in of linux/tcp.h, which the C library's header lacks.
    constexpr size_t kOffset = 152;
    std::array<char, 256> info{};
    socklen_t size = sizeof(info);
    ::getsockopt(client.fd(), IPPROTO_TCP, TCP_INFO, info.data(), &size);
    uint32_t segments = 0;
    std::memcpy(&segments, info.data() + kOffset, sizeof(segments));
    return segments;
  }
};

}  // namespace rawgate::net
