// What every listener counts. Written by one loop thread (and by RPC threads for typed calls), read
// by any.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "runtime/observe/histogram.h"

namespace rawgate::observe {

// Why a stream connection ended: exactly one each. Values and meanings are those of
// rawgate.control.v1.CloseReason.
enum class CloseReason : uint8_t {
  kNone = 0,
  kPeerClosed = 1,
  kReset = 2,
  kIdle = 3,
  kHeaderDeadline = 4,
  kStalled = 5,
  kProtocolError = 6,
  kLimit = 7,
  kStopped = 8,
  kOperator = 9,
  kLocalError = 10,
  kRefused = 11,
  kCrossProtocol = 12,
};
inline constexpr size_t kCloseReasons = 13;

// Lower-case name, such as "peer_closed".
absl::string_view CloseReasonName(CloseReason reason);

// Why a datagram was not served. The names are those of rawgate.control.v1.Counters.dropped.
enum class DropReason : uint8_t {
  kNone,
  // Port 0 cannot be answered; other ports below 1024 belong to services, not to clients.
  kSourcePort,
  // A claimed source that is no single host, be it unspecified, multicast or broadcast, or a Unix
  // socket without a name.
  kSourceAddress,
  // A port at which one of our own listeners answers.
  kResponderPort,
  // It was sent to many, and the answers of many would meet at its source.
  kBroadcast,
  // It is no request of the listener's protocol.
  kMalformed,
  kSourceRate,
  kGlobalRate,
  // Larger than this listener serves.
  kSize,
};
inline constexpr size_t kDropReasons = 9;

// Lower-case name, such as "source_port"; empty for kNone.
absl::string_view DropReasonName(DropReason reason);

// One total. Additions are relaxed: a reader sees a recent value, not one consistent with its
// neighbours.
class Counter {
 public:
  void Add(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  void Subtract(uint64_t n = 1) { value_.fetch_sub(n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// Totals since the process started; a stop and a start of the listener do not reset them.
struct Counters {
  Counter connections_opened;
  Counter connections_open;
  Counter bytes_received;
  Counter bytes_sent;
  Counter datagrams_received;
  Counter datagrams_sent;
  // Received and not served, by reason.
  std::array<Counter, kDropReasons> dropped;
  // Dropped by the kernel before they were received, as of the last Listener::RefreshCounters().
  Counter datagrams_overflowed;
  Counter send_failures;
  Counter requests;
  Counter request_errors;
  // How long the requests took; a datagram's, until the answers to its batch were sent.
  LatencyHistogram request_seconds;
  std::array<Counter, kCloseReasons> closed;

  uint64_t datagrams_dropped() const;
};

}  // namespace rawgate::observe
