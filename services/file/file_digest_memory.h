// Digests of stored files, remembered for as long as the files are what they were.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <tuple>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "runtime/base/lru_map.h"
#include "services/file/file_digest.h"

namespace rawgate::file {

// What is remembered belongs to (device, inode, size, mtime, ctime): whatever writes to a file, or
// puts another in its place, changes one of them. Bounded; forgets what was asked for least
// recently. Thread-safe.
class DigestMemory {
 public:
  // Empty where nothing is known.
  Digests Find(const struct stat& status);

  // `digests` are those of the content that `status` belongs to; some may be empty.
  void Remember(const struct stat& status, const Digests& digests);

  // Whether a change right after `status` was taken would show in it. The kernel's time stamps
  // move in steps of up to 10 ms: content that was read so soon after its last change must not be
  // remembered.
  static bool IsSettled(const struct stat& status, absl::Time now = absl::Now());

 private:
  // Some 150 bytes each.
  static constexpr size_t kFilesMax = 65'536;

  using Key = std::tuple<uint64_t, uint64_t, int64_t, int64_t, int64_t, int64_t, int64_t>;
  static Key KeyOf(const struct stat& status);

  absl::Mutex mutex_;
  LruMap<Key, Digests> known_ ABSL_GUARDED_BY(mutex_){kFilesMax};
};

}  // namespace rawgate::file
