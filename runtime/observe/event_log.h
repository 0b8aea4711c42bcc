// The process's recent events, for those who watch. Events are numbered whether or not anybody
// watches, so that a gap is always seen, but they are only built and kept while somebody does.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "runtime/observe/counters.h"

namespace rawgate::observe {

enum class Transport : uint8_t {
  kTcp = 1,
  kUdp = 2,
  kUnix = 3,
  kRpc = 4,
  kUnixDatagram = 5,
  kTls = 6
};
enum class State : uint8_t { kStarting = 1, kRunning, kDraining, kStopped, kFailed };

// One struct for each kind of rawgate.control.v1.Event, with the same meanings.
struct ConnectionOpened {
  std::string peer;
  Transport transport;
};
struct ConnectionClosed {
  CloseReason reason;
  std::string detail;
  uint64_t bytes_received;
  uint64_t bytes_sent;
  uint64_t requests;
};
struct ChunkReceived {
  uint64_t size;
  std::string sample;
};
struct DatagramReceived {
  std::string peer;
  uint64_t size;
  std::string sample;
  std::string dropped;
};
struct DatagramSent {
  std::string peer;
  uint64_t size;
};
struct RequestServed {
  std::string summary;
  std::string error_code;
  absl::Duration duration;
};
struct CommandStarted {
  std::string job_id;
  int pid;
  std::string summary;
};
struct CommandEnded {
  std::string job_id;
  std::string outcome;
  absl::Duration duration;
};
struct TransferProgress {
  std::string filename;
  bool upload;
  uint64_t transferred_bytes;
  uint64_t total_bytes;
};
struct ListenerStateChanged {
  State state;
  std::string bound_address;
  std::string last_error;
};
struct FaultHit {
  std::string fault;
  std::string peer;
  bool received;
};

using EventBody = std::variant<ConnectionOpened, ConnectionClosed, ChunkReceived, DatagramReceived,
                               DatagramSent, RequestServed, CommandStarted, CommandEnded,
                               TransferProgress, ListenerStateChanged, FaultHit>;

struct Event {
  uint64_t sequence = 0;
  absl::Time time;
  // Empty where no listener is concerned.
  std::string listener;
  // 0 where no connection is concerned.
  uint64_t connection_id = 0;
  EventBody body;
};

// Bytes of a chunk or datagram that an event keeps; a watcher may ask for fewer.
inline constexpr size_t kSampleBytesMax = 256;
// At most kSampleBytesMax bytes of what was received.
std::string Sample(const char* data, size_t size);

// `text` as UTF-8 that may be shown anywhere: control characters and bytes that are not UTF-8 are
// replaced by '?', and what does not fit into `size_max` bytes is cut off, between characters.
std::string Printable(absl::string_view text, size_t size_max);
// Printable() of at most 256 bytes, for RequestServed.summary.
std::string Summary(absl::string_view text);
// For messages that name what somebody asked for: Printable() of at most 64 bytes, in quotes.
std::string Quoted(absl::string_view text);

// Thread-safe. Outlives its watchers.
class EventLog {
 public:
  // Keeps the last `capacity` events, for slow and for returning watchers. The memory for them is
  // taken at the first watch and given back when nobody watches any longer.
  explicit EventLog(size_t capacity = 8192) : capacity_(capacity) {}
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  // Counts one event and, when somebody watches, keeps what `build()` returns: an EventBody.
  template <typename Build>
  void Record(absl::string_view listener, uint64_t connection_id, Build&& build) {
    if (CountUnwatched()) return;
    Keep(Event{0, absl::Now(), std::string(listener), connection_id, std::forward<Build>(build)()});
  }

  // Events are being kept: something worth building beforehand will be used.
  bool watched() const { return (unkept_.load(std::memory_order_relaxed) & kWatched) != 0; }

  // Sequence number of the newest event; the first one ever is 1.
  uint64_t last_sequence() const;

  // A reader of the log. While one exists events are kept; after the last has gone they are kept on
  // for a while (kLinger), so that a watcher who reconnects loses nothing. Thread-safe, but for its
  // destruction.
  class Watcher {
   public:
    struct Batch {
      std::vector<Event> events;
      // Events before `events` that this watcher was to get and that are gone.
      uint64_t lost = 0;
    };

    // After this `wake` is not called any more; waits for a call that is under way.
    ~Watcher();
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;

    // Sequence number of the last event that was taken, lost, or passed over at the start.
    uint64_t position() const;

    // What came since the last call, oldest first, at most `max_events`.
    Batch Take(size_t max_events);

    // Calls `wake` once, from any thread and with no lock held, when Take() has or will have
    // something; at once if it has. A later call replaces an earlier one. `wake` must be quick and
    // must not call into this object.
    void NotifyOnce(std::function<void()> wake);

   private:
    friend class EventLog;
    Watcher(EventLog& log, uint64_t next) : log_(log), next_(next) {}

    EventLog& log_;
    // All guarded by log_.mutex_.
    uint64_t next_;
    std::function<void()> wake_;
    // Calls of `wake` under way.
    int waking_ = 0;
  };

  // Starts reading after event `after` (after the newest when `after` is negative or has not come
  // yet). At most kWatchersMax at once: null beyond that.
  static constexpr size_t kWatchersMax = 1024;
  static constexpr absl::Duration kLinger = absl::Seconds(30);
  std::unique_ptr<Watcher> Watch(int64_t after = -1);

  // Ends the keeping of events that nobody watches any longer; called about once a second. `now`
  // only ever grows.
  void Tick(absl::Time now);

 private:
  // Low bit of unkept_; the bits above it count.
  static constexpr uint64_t kWatched = 1;
  static constexpr uint64_t kOneUnkept = 2;

  // Counts one event without keeping it, unless events are kept. One atomic holds the count and the
  // fact that nobody watches: an event is either counted before a watch begins or kept after it,
  // never lost between the two.
  bool CountUnwatched() {
    uint64_t seen = unkept_.load(std::memory_order_relaxed);
    while ((seen & kWatched) == 0) {
      if (unkept_.compare_exchange_weak(seen, seen + kOneUnkept, std::memory_order_relaxed))
        return true;
    }
    return false;
  }
  void Keep(Event event);

  const size_t capacity_;
  std::atomic<uint64_t> unkept_{0};
  mutable absl::Mutex mutex_;
  // ring_[n % capacity_] holds event n for n in [first_kept_, last_]. Empty while nobody watches.
  std::vector<Event> ring_ ABSL_GUARDED_BY(mutex_);
  uint64_t first_kept_ ABSL_GUARDED_BY(mutex_) = 1;
  // Without those in unkept_.
  uint64_t last_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<Watcher*> watchers_ ABSL_GUARDED_BY(mutex_);
  absl::Time unwatched_since_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
};

}  // namespace rawgate::observe
