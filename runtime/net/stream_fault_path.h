// What the faults of one way of a stream do to its bytes: which may be handed on now, in what
// pieces, and when there will be more. Without I/O and without a clock, so that it can be tried by
// itself. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "absl/strings/string_view.h"
#include "runtime/net/fault_random.h"
#include "runtime/net/faults.h"
#include "runtime/net/token_bucket.h"

namespace rawgate::net {

class StreamFaultPath {
 public:
  // After so long without more, bytes that were to be merged go on as they are.
  static constexpr Nanoseconds kMergeWait = 200'000'000;
  // "Never", and "at once".
  static constexpr Nanoseconds kNever = INT64_MAX;

  // How the stream ended at its source.
  enum class End : uint8_t { kNone, kFin, kReset };

  // What to do next.
  struct Step {
    enum class Kind : uint8_t {
      kWait,   // nothing before `at`, unless Push(), Finish() or Release() come before
      kBytes,  // hand on `bytes`, which stay until the next call, in one write
      kFin,    // pass the end on
      kReset,
      kCut,  // the stream ends here, whatever else would have come
    };
    Kind kind;
    absl::string_view bytes = {};
    Nanoseconds at = kNever;
  };

  // The pieces of what is split go at least `piece_interval` apart.
  StreamFaultPath(const StreamFaults& faults, FaultRandom random, Nanoseconds piece_interval = 0)
      : faults_(faults), random_(random), piece_interval_(piece_interval) {}

  // Whether each piece is to be one of its own at the other end, too.
  bool splits() const { return faults_.split_bytes != 0; }
  bool cuts_with_reset() const { return faults_.cut_with_reset; }
  // How much more it takes, where it may hold `limit` bytes.
  size_t Room(size_t limit);
  // At most Room() bytes.
  void Push(absl::string_view bytes, Nanoseconds now);
  // The source has ended; nothing is pushed any more. A reset may follow a FIN.
  void Finish(End end, Nanoseconds now);

  Step Next(Nanoseconds now);
  // Of the last Step's bytes, the first `size` were taken.
  void Passed(size_t size, Nanoseconds now);

  // The faults are over: everything that is held goes on at once, and all that comes.
  void Release();

 private:
  struct Delayed {
    Nanoseconds due;
    std::string bytes;
  };

  size_t ready_size() const { return ready_.size() - ready_begin_; }
  void Append(absl::string_view bytes);
  // Moves what is due to ready_.
  void Mature(Nanoseconds now);
  Step NextEnd(Nanoseconds now) const;
  // Of the ready bytes, those that merging lets pass; 0 and `*at` while it waits.
  size_t Mergeable(Nanoseconds now, Nanoseconds* at);

  StreamFaults faults_;
  FaultRandom random_;
  const Nanoseconds piece_interval_;
  // In order of their time.
  std::deque<Delayed> delayed_;
  Nanoseconds last_due_ = INT64_MIN;
  // Due, from ready_begin_ on.
  std::string ready_;
  size_t ready_begin_ = 0;
  // When the last of them became so.
  Nanoseconds ready_at_ = 0;
  // How many of them have waited long enough for others to be merged with.
  size_t merged_ = 0;
  // All that is held.
  size_t held_ = 0;
  bool full_ = false;
  uint64_t passed_ = 0;
  // When the next byte may go.
  Nanoseconds link_free_at_ = INT64_MIN;
  // When the next piece may.
  Nanoseconds next_piece_at_ = INT64_MIN;
  End end_ = End::kNone;
  Nanoseconds end_due_ = 0;
};

}  // namespace rawgate::net
