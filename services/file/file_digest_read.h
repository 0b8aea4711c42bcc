// Reading what is stored for nothing but its digest.
#pragma once

#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "services/file/file_store.h"

namespace rawgate::file {

// The right to read that much. A request of a few bytes can ask for the digest of a file that takes
// minutes to read: only so many of the disk's threads may be busy with that at once. Move-only.
class DigestRead {
 public:
  // Error: RESOURCE_EXHAUSTED (TOO_MANY_DIGESTS), with a time to try again, when kAtOnceMax others
  // are reading. What is no longer than kFree is always granted. `store` outlives the result.
  static absl::StatusOr<DigestRead> Begin(FileStore& store, uint64_t bytes);

  DigestRead(DigestRead&& other) noexcept : store_(std::exchange(other.store_, nullptr)) {}
  DigestRead& operator=(DigestRead&&) = delete;
  ~DigestRead() {
    if (store_ != nullptr) store_->digest_reads.fetch_sub(1);
  }

  static constexpr int kAtOnceMax = 4;
  // Bytes; some 40 ms of work.
  static constexpr uint64_t kFree = 16 << 20;

 private:
  explicit DigestRead(FileStore* store) : store_(store) {}
  // Null: it was free.
  FileStore* store_;
};

}  // namespace rawgate::file
