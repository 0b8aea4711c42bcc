// What a listener does wrong because it was told to: ControlService.SetFaults as the runtime has
// it. Meanings, units and limits are those of rawgate/control/v1/fault.proto.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "runtime/net/endpoint.h"
#include "runtime/net/token_bucket.h"

namespace rawgate::net {

// One way of a stream.
struct StreamFaults {
  Nanoseconds delay = 0;
  Nanoseconds jitter = 0;
  uint64_t bytes_per_second = 0;
  uint32_t split_bytes = 0;
  uint32_t merge_bytes = 0;
  uint64_t cut_after_bytes = 0;
  bool cut_with_reset = false;

  friend bool operator==(const StreamFaults&, const StreamFaults&) = default;
};

// One way of a listener of datagrams.
struct DatagramFaults {
  Nanoseconds delay = 0;
  Nanoseconds jitter = 0;
  uint64_t bytes_per_second = 0;
  double loss = 0;
  double duplication = 0;
  double reordering = 0;
  double corruption = 0;

  friend bool operator==(const DatagramFaults&, const DatagramFaults&) = default;
};

struct Faults {
  uint64_t seed = 0;
  uint32_t fail_first = 0;
  StreamFaults stream_received{};
  StreamFaults stream_sent{};
  DatagramFaults datagrams_received{};
  DatagramFaults datagrams_sent{};

  // The seed alone does nothing.
  bool empty() const;
  // What of it a listener of `transport` can do, with the seed.
  Faults For(Transport transport) const;
};

// INVALID_ARGUMENT (BAD_FAULTS) with the field, such as "faults.stream_sent.delay", that is out of
// range.
absl::Status CheckFaults(const Faults& faults);

// What has hit a connection or a datagram.
enum class FaultKind : uint8_t {
  kFailFirst,
  kCut,
  kReset,
  kLoss,
  kDuplication,
  kReordering,
  kCorruption,
};

// As in FaultHit.fault: "fail_first".
absl::string_view FaultName(FaultKind kind);

// Since the faults were set.
struct FaultCounters {
  uint64_t failed_first = 0;
  uint64_t connections_cut = 0;
  uint64_t datagrams_lost = 0;
  uint64_t datagrams_duplicated = 0;
  uint64_t datagrams_reordered = 0;
  uint64_t datagrams_corrupted = 0;
  uint64_t datagrams_overflowed = 0;

  void Count(FaultKind kind);
};

}  // namespace rawgate::net
