// Resumable uploads that are not complete, by id; and, for a while, those that are.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
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

// Thread-safe; every method may block on the disk. All processes that serve the same folder know
// all of them: an upload is held, by a lock that ends with its process, only while somebody here
// has it in hand; in between any process may go on with it.
class UnfinishedUploads {
 public:
  // An upload, held as long as one of these is there.
  using Held = std::shared_ptr<UploadInProgress>;

  // `store` outlives this object, and this object all that it returns.
  UnfinishedUploads(FileStore& store, absl::Duration expiry, std::string boot_id)
      : store_(store), expiry_(expiry), folder_(store.root, std::move(boot_id), store.syscalls) {}

  // Finds out what there is.
  void Load();

  // Errors of all that hold one: ABORTED (UPLOAD_TAKEN_OVER, UPLOAD_COMPLETING) when another
  // process does, and goes on doing so for kHandoverWait; UNAVAILABLE (UPLOAD_UNREADABLE).

  // The upload of that id, begun if there was none. Errors: NOT_FOUND (UPLOAD_NOT_FOUND), for an
  // attempt that is not at the beginning; those of CheckDestination();
  // ALREADY_EXISTS (UPLOAD_EXISTS) when it is of another file; RESOURCE_EXHAUSTED
  // (TOO_MANY_UPLOADS, QUOTA_EXCEEDED); FAILED_PRECONDITION (OTHER_FILE_SYSTEM).
  absl::StatusOr<Held> FindOrBegin(const UploadSpec& spec);
  // Error: NOT_FOUND (UPLOAD_NOT_FOUND).
  absl::StatusOr<Held> Find(absl::string_view id);
  // The file of an upload that was completed here, if it is still there as it was then.
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
  // At most `limit` with an id behind `after`, by id, in `next` where the next page begins; of all
  // processes.
  std::vector<UploadState> List(absl::string_view after, size_t limit, std::string* next);

  // Gives up those to which nothing has come for too long, and those to which nothing has come at
  // all sooner; returns how many.
  size_t RemoveExpired(absl::Time now);

  absl::Duration expiry() const { return expiry_; }

 private:
  static constexpr size_t kCompletedMax = 4096;
  // For one that another process has in hand: many calls are short, and one whose client is gone
  // ends soon.
  static constexpr absl::Duration kHandoverWait = absl::Seconds(1);
  // Calls that wait so at the same time, of the few threads that there are for the disk.
  static constexpr int kWaitingMax = 4;

  // One upload, and what is noted down of it.
  struct Entry {
    explicit Entry(Held of) : upload(std::move(of)) {}

    const Held upload;
    // Held while the upload is taken and released. Never taken by who holds mutex_.
    absl::Mutex taking;
    int users ABSL_GUARDED_BY(taking) = 1;
    // As it was released.
    UploadFolder::Progress left ABSL_GUARDED_BY(taking) = {};
    // What is known of it is not true any longer.
    bool stale ABSL_GUARDED_BY(taking) = false;
    // Held while the record is written, after mutex_ was released.
    absl::Mutex noting;
    std::optional<uint64_t> noted ABSL_GUARDED_BY(noting);
    // The record is gone, and is not to come back.
    bool forgotten ABSL_GUARDED_BY(noting) = false;
  };

  // As Find(), without waiting.
  absl::StatusOr<Held> TryFind(absl::string_view id);
  absl::StatusOr<Held> LoadLocked(absl::string_view id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<Held> BeginLocked(const UploadSpec& spec) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::shared_ptr<UploadInProgress>> Begin(const UploadSpec& spec);
  Held AddLocked(absl::string_view id, std::shared_ptr<UploadInProgress> upload)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Holds what is known here. NOT_FOUND: it is stale.
  absl::StatusOr<Held> Take(const std::shared_ptr<Entry>& entry);
  Held HeldBy(std::shared_ptr<Entry> entry);
  void Release(Entry& entry);
  void Drop(const std::string& id, const std::shared_ptr<Entry>& entry);
  // Drops what other processes have ended. False: that was done a moment ago.
  bool LookAgain();
  // Of all that there are, here or elsewhere, those behind that one.
  std::set<std::string> IdsAfter(absl::string_view after);

  absl::Duration ExpiryOf(uint64_t received) const;
  UploadState ToState(const UploadSpec& spec, const UploadFolder::Progress& progress) const;
  std::shared_ptr<Entry> EntryOf(const UploadInProgress& upload);
  // It was given up, or stored: nothing is left of it on disk, nor then here. With `stored` it is
  // remembered as complete.
  void Forget(const UploadInProgress& upload, const FileInfo* stored);

  FileStore& store_;
  const absl::Duration expiry_;
  UploadFolder folder_;
  std::atomic<int> waiting_{0};
  // Held while an upload begins, so that it begins once.
  absl::Mutex mutex_;
  // All that are known here, held or not, with what the quota holds for them and their digests.
  std::map<std::string, std::shared_ptr<Entry>, std::less<>> entries_ ABSL_GUARDED_BY(mutex_);
  absl::Time looked_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  LruMap<std::string, FileInfo> completed_ ABSL_GUARDED_BY(mutex_){kCompletedMax};
};

}  // namespace rawgate::file
