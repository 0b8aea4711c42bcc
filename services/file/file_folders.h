// Makes and removes folders so that an acknowledged file is never found in a folder that a power
// cut takes back.
#pragma once

#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/file/file_root.h"

namespace rawgate::file {

// Thread-safe.
//
// A folder is *durable* once its parent has been fsynced after it was made. Which are is
// remembered, so that the usual upload, into a folder used before, costs no extra fsync; one made
// by another upload a moment ago, or before a crash, is not taken on trust.
class FileFolders {
 public:
  // Both outlive this object.
  FileFolders(const FileRoot& root, Syscalls& syscalls) : root_(root), syscalls_(syscalls) {}

  // Opens `folder`, making what is missing, and returns when all of it is durable. Errors: as
  // StoringError; DATA_LOSS (SYNC_FAILED).
  absl::StatusOr<Fd> Make(const FileName& folder);

  // renameat2(2) of a folder. -1 and errno on error.
  int Rename(int from_parent, const FileName& from, int to_parent, const FileName& to,
             unsigned flags);

  // rmdir(2) of `folder`, an entry of `parent`. -1 and errno on error.
  int Remove(int parent, const FileName& folder);

 private:
  // Forgotten all at once beyond this, which costs an fsync each to learn again.
  static constexpr size_t kRememberedMax = 4096;

  // Asked only after the folder was opened: then a removal in between makes the descriptor useless,
  // and its user starts again.
  bool IsDurable(const FileName& folder);
  // Does nothing if any folder was removed since removals() was `removals`.
  void SetDurable(const FileName& folder, uint64_t removals);
  uint64_t removals();

  const FileRoot& root_;
  Syscalls& syscalls_;
  absl::Mutex mutex_;
  absl::flat_hash_set<std::string> durable_ ABSL_GUARDED_BY(mutex_);
  uint64_t removals_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace rawgate::file
