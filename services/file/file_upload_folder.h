// The folder below the root where unfinished uploads are: for each a file with its bytes, named as
// its id, and beside it its record.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/file/file_record.h"
#include "services/file/file_root.h"
#include "services/file/file_temporary.h"

namespace rawgate::file {

// Thread-safe, but calls for one id come one at a time. Each file is locked with flock(2) while its
// process lives: what another process has in hand is left alone.
class UploadFolder {
 public:
  // All outlive this object.
  UploadFolder(const FileRoot& root, std::string boot_id, Syscalls& syscalls)
      : root_(root), boot_id_(std::move(boot_id)), syscalls_(syscalls) {}

  // An unfinished upload as it was found.
  struct Found {
    UploadSpec spec;
    TemporaryFile file;
    uint64_t received;
    // When its last byte came.
    absl::Time last_active;
  };

  // Ids of all that is there, of whichever process.
  std::vector<std::string> Ids();
  // The upload of that id, if no process has it in hand. Removes what is of no use: a record
  // without a file, a file without a record, an upload that was stored in its process's last
  // moment. Bytes that a power cut may have taken are cut off.
  std::optional<Found> Load(const std::string& id);

  // Makes the file and the record of a new upload; makes the folder if it is missing. Neither is
  // durable before Note(). Errors: as Make(); FAILED_PRECONDITION (OTHER_FILE_SYSTEM) when
  // `device` is not the folder's; ABORTED (UPLOAD_TAKEN_OVER) when another process has one of that
  // id.
  absl::StatusOr<TemporaryFile> Create(const UploadSpec& spec, uint64_t device);

  // Notes, durably, that the first `synced` bytes of `file` are on disk. Error: DATA_LOSS
  // (SYNC_FAILED); as StoringError().
  absl::Status Note(const UploadSpec& spec, int file, uint64_t synced);

  // Removes both. What cannot be removed is left for the next start. `durably`: the record is gone
  // for good before the file is; a power cut does not bring it back, for bytes that may be
  // another's by then.
  void Remove(const std::string& id, bool durably = false);

 private:
  // Its descriptor; -1 and errno when it cannot be opened, such as when there is none.
  int Open();
  int OpenLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Its descriptor, when it is durably there, for an upload of `name`. Errors: as StoringError();
  // DATA_LOSS (SYNC_FAILED).
  absl::StatusOr<int> Make(const FileName& name);
  // Somebody removed it.
  void Forget();
  std::optional<Found> LoadFrom(int folder, const std::string& id);
  // Of the store. True when what it holds is on disk, or it is gone.
  bool SyncFolder(const FileName& name) const;
  // UNAVAILABLE when it cannot be read now.
  absl::StatusOr<UploadRecord> ReadRecord(int folder, const std::string& id) const;
  Fd CreateFile(int folder, const std::string& id);
  absl::Status WriteRecord(int folder, const UploadRecord& record, bool durable);

  const FileRoot& root_;
  const std::string boot_id_;
  Syscalls& syscalls_;
  absl::Mutex mutex_;
  // Stays open once it is.
  Fd folder_ ABSL_GUARDED_BY(mutex_);
  // Earlier ones, which were removed.
  std::vector<Fd> removed_ ABSL_GUARDED_BY(mutex_);
  // Its name in the root is on disk.
  bool durable_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace rawgate::file
