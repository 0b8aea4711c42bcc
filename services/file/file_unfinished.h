// Resumable uploads that are not complete, by id; and, for a while, those that are.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "runtime/base/lru_map.h"
#include "services/file/file_in_progress.h"
#include "services/file/file_upload_folder.h"

namespace rawgate::file {

// An upload as clients are told of it.
struct UploadState {
  std::string upload_id = {};
  std::string filename = {};
  // 0 when it is known at the end only.
  uint64_t size = 0;
  uint64_t committed = 0;
  // When it is given up, unless bytes come.
  absl::Time expires = {};
};

// Thread-safe; every method may block on the disk. An unfinished upload belongs to one process: of
// two that serve the same folder, each knows its own.
class UnfinishedUploads {
 public:
  // `store` outlives this object.
  UnfinishedUploads(FileStore& store, absl::Duration expiry, std::string boot_id)
      : store_(store), expiry_(expiry), folder_(store.root, std::move(boot_id), store.syscalls) {}

  // Takes over what a process that has ended left.
  void Load();

  // The upload of that id, begun if there was none. Errors: NOT_FOUND (UPLOAD_NOT_FOUND), for an
  // attempt that is not at the beginning; those of CheckDestination();
  // ALREADY_EXISTS (UPLOAD_EXISTS) when it is of another file; RESOURCE_EXHAUSTED
  // (TOO_MANY_UPLOADS, QUOTA_EXCEEDED); FAILED_PRECONDITION (OTHER_FILE_SYSTEM).
  absl::StatusOr<std::shared_ptr<UploadInProgress>> FindOrBegin(const UploadSpec& spec);
  // Error: NOT_FOUND (UPLOAD_NOT_FOUND).
  absl::StatusOr<std::shared_ptr<UploadInProgress>> Find(absl::string_view id);
  // The file of an upload that was completed, if it is still there as it was then.
  std::optional<FileInfo> FindCompleted(absl::string_view id);

  // Brings what was received to disk and notes it down; returns how much that is. Errors: as
  // UploadInProgress::Sync().
  absl::StatusOr<uint64_t> Checkpoint(UploadInProgress& upload);
  // See UploadInProgress::Commit().
  absl::StatusOr<FileInfo> Commit(UploadInProgress& upload, uint64_t attempt,
                                  const CommitTerms& terms);
  // Error: NOT_FOUND (UPLOAD_NOT_FOUND); ABORTED (UPLOAD_COMPLETING).
  absl::Status Abort(absl::string_view id);

  UploadState StateOf(const UploadInProgress& upload) const;
  // At most `limit` with an id behind `after`, by id, in `next` where the next page begins.
  std::vector<UploadState> List(absl::string_view after, size_t limit, std::string* next);

  // Gives up those to which nothing has come for too long, and those to which nothing has come at
  // all sooner; returns how many.
  size_t RemoveExpired(absl::Time now);

  absl::Duration expiry() const { return expiry_; }

 private:
  static constexpr size_t kCompletedMax = 4096;

  // Null when there is none.
  std::shared_ptr<UploadInProgress> FindLocked(absl::string_view id)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::shared_ptr<UploadInProgress>> BeginLocked(const UploadSpec& spec)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::shared_ptr<UploadInProgress>> Begin(const UploadSpec& spec);
  absl::Duration ExpiryOf(const UploadInProgress& upload) const;
  // One upload, and what is noted down of it.
  struct Entry {
    explicit Entry(std::shared_ptr<UploadInProgress> of) : upload(std::move(of)) {}

    const std::shared_ptr<UploadInProgress> upload;
    // Held while the record is written, after mutex_ was released.
    absl::Mutex noting;
    std::optional<uint64_t> noted ABSL_GUARDED_BY(noting);
    // The record is gone, and is not to come back.
    bool forgotten ABSL_GUARDED_BY(noting) = false;
  };

  // Those with an id behind that one. Asked one by one without the lock: one may wait for its disk.
  std::vector<std::shared_ptr<UploadInProgress>> After(absl::string_view id);
  std::shared_ptr<Entry> EntryOf(const UploadInProgress& upload);
  // It was given up, or stored: nothing is left of it on disk, nor then here. With `stored` it is
  // remembered as complete.
  void Forget(const UploadInProgress& upload, const FileInfo* stored);

  FileStore& store_;
  const absl::Duration expiry_;
  UploadFolder folder_;
  // Held while an upload begins, so that it begins once.
  absl::Mutex mutex_;
  // Second owners: whoever works on one at the moment.
  std::map<std::string, std::shared_ptr<Entry>, std::less<>> entries_ ABSL_GUARDED_BY(mutex_);
  LruMap<std::string, FileInfo> completed_ ABSL_GUARDED_BY(mutex_){kCompletedMax};
};

}  // namespace rawgate::file
