// What the faults of one way of a listener of datagrams do to them: which are dropped, changed,
// doubled, and when each is to go on. Without I/O and without a clock, so that it can be tried by
// itself. One thread.
#pragma once

#include <time.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "runtime/net/datagram_batch.h"
#include "runtime/net/endpoint.h"
#include "runtime/net/fault_random.h"
#include "runtime/net/faults.h"

namespace rawgate::net {

// A datagram that is kept, either way.
struct CarriedDatagram {
  Endpoint peer{};
  // Which of our addresses it was sent to, or leaves from.
  LocalAddress local{};
  std::string payload{};
  // As sent, where `payload` is cut.
  size_t size = 0;
  // As ReceiveBatch::received_at(); zero in one that was held back, which comes when it goes on.
  timespec received_at{};
  // As ReceiveBatch::to_many().
  bool to_many = false;
};

// What waits of both ways of a listener together.
struct FaultBudget {
  static constexpr size_t kDatagramsMax = 4'096;
  static constexpr size_t kBytesMax = 16 << 20;

  size_t datagrams = 0;
  size_t bytes = 0;
};

class DatagramFaultPath {
 public:
  // A datagram that is to be overtaken waits so long for another.
  static constexpr Nanoseconds kReorderingWait = 200'000'000;
  static constexpr Nanoseconds kNever = INT64_MAX;

  // `budget` outlives this object.
  DatagramFaultPath(const DatagramFaults& faults, FaultRandom random, FaultBudget& budget)
      : faults_(faults), random_(random), budget_(budget) {}

  // The next datagram of this way. Calls `hit` for each fault that hits it. Returns how many were
  // dropped for want of room: it, its double, or neither.
  size_t Push(CarriedDatagram datagram, Nanoseconds now, absl::FunctionRef<void(FaultKind)> hit);
  // One whose time has come, if there is one; the earliest first.
  std::optional<CarriedDatagram> Pop(Nanoseconds now);
  // When Pop() will have one.
  Nanoseconds next_at() const;

  // How many it remembers as held back: some of them may have gone on by now.
  size_t held_back() const { return held_back_.size(); }

  // The faults are over: the time has come for all that wait.
  void Release();

 private:
  // Its time, and how many came before it.
  using Place = std::pair<Nanoseconds, uint64_t>;
  struct HeldBack {
    Place place;
    // Its time if nothing held it back.
    Nanoseconds due;
  };

  // Its time by delay, jitter and rate, of which it takes its part: for one that there is room for,
  // so that those that are dropped keep the link for nobody.
  Nanoseconds DueTime(size_t bytes, Nanoseconds now);
  bool HasRoom(const CarriedDatagram& datagram) const;
  // There is room.
  void Add(CarriedDatagram datagram, Place place);
  void HoldBack(const HeldBack& held);
  // One goes on at `due`, and those that were to be overtaken right after it.
  void LetPass(Nanoseconds due);

  DatagramFaults faults_;
  FaultRandom random_;
  FaultBudget& budget_;
  std::map<Place, CarriedDatagram> waiting_;
  // At most twice as many as wait, but for one.
  std::vector<HeldBack> held_back_;
  uint64_t count_ = 0;
  // When the next one may go.
  Nanoseconds link_free_at_ = INT64_MIN;
  bool released_ = false;
};

}  // namespace rawgate::net
