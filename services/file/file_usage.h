// How much the store holds, where that is limited.
#pragma once

#include <cstdint>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "services/file/file_name.h"

namespace rawgate::file {

// Counts bytes of stored files and those that uploads in progress have announced. What others put
// below the root or take away is not noticed until the next start. Thread-safe.
class FileUsage {
 public:
  // At most `quota` bytes; 0: no limit, and nothing is counted.
  explicit FileUsage(uint64_t quota) : quota_(quota) {}

  bool limited() const { return quota_ > 0; }

  // Bytes of one upload, given back by the destructor unless they were stored. Move-only.
  class Claim {
   public:
    Claim() = default;
    Claim(Claim&& other) noexcept
        : usage_(std::exchange(other.usage_, nullptr)), bytes_(other.bytes_) {}
    Claim& operator=(Claim&& other) noexcept {
      std::swap(usage_, other.usage_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Claim();

    // Makes it at least `bytes`. Error: as FileUsage::Take().
    absl::Status Grow(uint64_t bytes, const FileName& name);
    // `bytes` of them are a stored file now, in whose place there were `replaced` before.
    void Store(uint64_t bytes, uint64_t replaced);

   private:
    friend class FileUsage;
    FileUsage* usage_ = nullptr;
    uint64_t bytes_ = 0;
  };

  // An empty claim of an upload.
  Claim NewClaim();
  // A file of that size was found, or is gone.
  void Add(uint64_t bytes);
  void Remove(uint64_t bytes);
  // What the quota leaves; UINT64_MAX without one.
  uint64_t Free() const;

 private:
  // Error: RESOURCE_EXHAUSTED (QUOTA_EXCEEDED).
  absl::Status Take(uint64_t bytes, const FileName& name);

  const uint64_t quota_;
  mutable absl::Mutex mutex_;
  uint64_t used_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace rawgate::file
