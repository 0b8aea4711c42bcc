// The folder below the root where unfinished uploads are: for each a file with its bytes, named as
// its id, and beside it its record.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/file/file_record.h"
#include "services/file/file_root.h"
#include "services/file/file_temporary.h"

namespace rawgate::file {

// Thread-safe, but calls for one id come one at a time. All processes that serve the same root
// share it: a file's names here and its record are changed only by who holds its lock (flock(2)),
// which the kernel takes from a process that ends, and which a file has from before it is to be
// seen.
class UploadFolder {
 public:
  // All outlive this object.
  UploadFolder(const FileRoot& root, std::string boot_id, Syscalls& syscalls)
      : root_(root), boot_id_(std::move(boot_id)), syscalls_(syscalls) {}

  // How much of an upload is here, and when its last byte came.
  struct Progress {
    uint64_t received;
    absl::Time last_active;
  };
  // An unfinished upload as it was found, locked.
  struct Found {
    UploadSpec spec;
    TemporaryFile file;
    Progress progress;
  };

  // Ids of all that is there, of whichever process.
  std::vector<std::string> Ids();
  // Removes files that a process which ended had not named yet.
  void RemoveUnnamed();

  // ---- Holding one. Errors: NOT_FOUND: there is none, or not this one any longer; ABORTED
  // (UPLOAD_TAKEN_OVER, UPLOAD_COMPLETING: all of it has come): another process holds it at the
  // moment; UNAVAILABLE: it cannot be read now. All remove what is of no use: a record without a
  // file, a file without a record, an upload that was stored in its process's last moment; and cut
  // off bytes that a power cut may have taken.

  absl::StatusOr<Found> Load(const std::string& id);
  // Again, through its open `file`, after Release().
  absl::StatusOr<Progress> Retake(const std::string& id, int file);
  // From now on any process may go on with it.
  static void Release(int file);
  // What is noted of one that another process holds, and how much of it is here: a guess.
  std::optional<std::pair<UploadSpec, Progress>> Peek(const std::string& id);

  // Makes the file, locked, and the record of a new upload; makes the folder if it is missing.
  // Neither is durable before Note(). Errors: as Make(); FAILED_PRECONDITION (OTHER_FILE_SYSTEM)
  // when `device` is not the folder's; ABORTED (UPLOAD_TAKEN_OVER) when there is one of that id.
  absl::StatusOr<TemporaryFile> Create(const UploadSpec& spec, uint64_t device);

  // Notes, durably, that the first `synced` bytes of `file` are on disk. Error: DATA_LOSS
  // (SYNC_FAILED); as StoringError().
  absl::Status Note(const UploadSpec& spec, int file, uint64_t synced);

  // Removes both, of the upload in `file`, which is held; not another's of that id, should it have
  // lost its name here when it was stored. What cannot be removed is left for the next start.
  // `durably`: the record is gone for good before the file is; a power cut does not bring it back,
  // for bytes that may be another's by then.
  void Remove(const std::string& id, const TemporaryFile& file, bool durably);

 private:
  static std::string RecordName(absl::string_view id);
  // Its descriptor; -1 and errno when it cannot be opened, such as when there is none.
  int Open();
  int OpenLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Its descriptor, when it is durably there, for an upload of `name`. Errors: as StoringError();
  // DATA_LOSS (SYNC_FAILED).
  absl::StatusOr<int> Make(const FileName& name);
  // Somebody removed it.
  void Forget();
  absl::StatusOr<Found> LoadFrom(int folder, const std::string& id);
  struct Examined {
    UploadSpec spec;
    Progress progress;
  };
  // Of a file that is locked and has that name.
  absl::StatusOr<Examined> Examine(int folder, const std::string& id, int file);
  // What stands under that name, locked, with that record, is of no use. Returns NOT_FOUND, or
  // UNAVAILABLE when it has to stay until the next look.
  absl::Status RemoveUseless(int folder, const std::string& id,
                             const absl::StatusOr<UploadRecord>& record) const;
  // `id` names the open `file`; false with errno 0: another.
  bool IsNamed(int folder, const std::string& id, int file) const;
  // How much of it is here, as `status` of its file and the record say.
  uint64_t Received(const UploadRecord& record, const struct stat& status) const;
  // Another process has it: the error that says so.
  absl::Status Elsewhere(int folder, const std::string& id) const;
  // Of the store. True when what it holds is on disk, or it is gone.
  bool SyncFolder(const FileName& name) const;
  // UNAVAILABLE when it cannot be read now.
  absl::StatusOr<UploadRecord> ReadRecord(int folder, const std::string& id) const;
  // A new empty file of that name, locked. An empty object and errno: EEXIST when it is taken.
  TemporaryFile CreateFile(int folder, const std::string& id) const;
  void RemoveHeld(int folder, const std::string& id, bool durably) const;
  absl::Status WriteRecord(int folder, const UploadRecord& record, bool durable) const;

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
