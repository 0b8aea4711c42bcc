#include "runtime/net/faults.h"

#include <initializer_list>
#include <string>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::net {
namespace {

constexpr Nanoseconds kTimeMax = 60'000'000'000;
constexpr uint32_t kPieceMax = 1 << 20;

absl::Status Bad(absl::string_view field, absl::string_view what) {
  return FieldError(field, "BAD_FAULTS", absl::StrCat(field, " ", what));
}

absl::Status CheckTimes(absl::string_view way, Nanoseconds delay, Nanoseconds jitter) {
  if (delay < 0 || delay > kTimeMax) {
    return Bad(absl::StrCat(way, ".delay"), "must be between 0 and a minute");
  }
  if (jitter < 0 || jitter > kTimeMax) {
    return Bad(absl::StrCat(way, ".jitter"), "must be between 0 and a minute");
  }
  return absl::OkStatus();
}

absl::Status Check(absl::string_view way, const StreamFaults& faults) {
  if (absl::Status times = CheckTimes(way, faults.delay, faults.jitter); !times.ok()) return times;
  if (faults.split_bytes > kPieceMax) {
    return Bad(absl::StrCat(way, ".split_bytes"), "must be at most 1 MiB");
  }
  if (faults.merge_bytes > kPieceMax) {
    return Bad(absl::StrCat(way, ".merge_bytes"), "must be at most 1 MiB");
  }
  if (faults.split_bytes != 0 && faults.merge_bytes != 0) {
    return Bad(absl::StrCat(way, ".merge_bytes"), "cannot be together with split_bytes");
  }
  if (faults.cut_with_reset && faults.cut_after_bytes == 0) {
    return Bad(absl::StrCat(way, ".cut_with_reset"), "needs cut_after_bytes");
  }
  return absl::OkStatus();
}

absl::Status Check(absl::string_view way, const DatagramFaults& faults) {
  if (absl::Status times = CheckTimes(way, faults.delay, faults.jitter); !times.ok()) return times;
  struct Probability {
    absl::string_view name;
    double value;
  };
  for (const auto& [name, value] : std::initializer_list<Probability>{
           {"loss", faults.loss},
           {"duplication", faults.duplication},
           {"reordering", faults.reordering},
           {"corruption", faults.corruption},
       }) {
    // Not a number is not within them either.
    if (value >= 0 && value <= 1) continue;
    return Bad(absl::StrCat(way, ".", name), "must be from 0 to 1");
  }
  return absl::OkStatus();
}

}  // namespace

bool Faults::empty() const {
  return fail_first == 0 && stream_received == StreamFaults{} && stream_sent == StreamFaults{} &&
         datagrams_received == DatagramFaults{} && datagrams_sent == DatagramFaults{};
}

Faults Faults::For(Transport transport) const {
  Faults applicable = *this;
  if (IsDatagram(transport)) {
    applicable.stream_received = applicable.stream_sent = StreamFaults{};
  } else {
    applicable.datagrams_received = applicable.datagrams_sent = DatagramFaults{};
  }
  return applicable;
}

absl::Status CheckFaults(const Faults& faults) {
  for (const absl::Status& checked : {Check("faults.stream_received", faults.stream_received),
                                      Check("faults.stream_sent", faults.stream_sent),
                                      Check("faults.datagrams_received", faults.datagrams_received),
                                      Check("faults.datagrams_sent", faults.datagrams_sent)}) {
    if (!checked.ok()) return checked;
  }
  return absl::OkStatus();
}

absl::string_view FaultName(FaultKind kind) {
  switch (kind) {
    case FaultKind::kFailFirst:
      return "fail_first";
    case FaultKind::kCut:
      return "cut";
    case FaultKind::kReset:
      return "reset";
    case FaultKind::kLoss:
      return "loss";
    case FaultKind::kDuplication:
      return "duplication";
    case FaultKind::kReordering:
      return "reordering";
    case FaultKind::kCorruption:
      return "corruption";
  }
  return "";
}

void FaultCounters::Count(FaultKind kind) {
  switch (kind) {
    case FaultKind::kFailFirst:
      ++failed_first;
      return;
    case FaultKind::kCut:
    case FaultKind::kReset:
      ++connections_cut;
      return;
    case FaultKind::kLoss:
      ++datagrams_lost;
      return;
    case FaultKind::kDuplication:
      ++datagrams_duplicated;
      return;
    case FaultKind::kReordering:
      ++datagrams_reordered;
      return;
    case FaultKind::kCorruption:
      ++datagrams_corrupted;
      return;
  }
}

}  // namespace rawgate::net
