// The last step of an upload: a complete file gets its name, durably, or the store is as it was.
#pragma once

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "services/file/file_syscalls.h"
#include "services/file/file_temporary.h"

namespace rawgate::file {

// Names that are being published or deleted: one at a time each, so that taking one upload back
// cannot take another's place. Thread-safe.
class NameLocks {
 public:
  // Holds one name; waits for it as long as the disk keeps its holder busy.
  class Guard {
   public:
    Guard(NameLocks& locks, const FileName& name);
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    NameLocks& locks_;
    const std::string name_;
  };

 private:
  absl::Mutex mutex_;
  absl::flat_hash_set<std::string> held_ ABSL_GUARDED_BY(mutex_);
};

// Names `file`, whose bytes are on disk, `name`, an entry of `folder`, and fsyncs the folder. Its
// name must be locked. On every error the older file of that name, if there was one, is there again
// under it, and the new one is not. Errors: ALREADY_EXISTS (FILE_EXISTS) with `if_absent`;
// FAILED_PRECONDITION (NOT_A_FILE); DATA_LOSS (SYNC_FAILED); ABORTED (FOLDER_REMOVED): make the
// folder and try again.
absl::Status Publish(TemporaryFile& file, int folder, const FileName& name, bool if_absent,
                     Syscalls& syscalls);

}  // namespace rawgate::file
