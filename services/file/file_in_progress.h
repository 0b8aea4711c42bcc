// One upload, whoever sends its bytes: attempts follow each other, and the newest counts.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "services/file/file_info.h"
#include "services/file/file_partial.h"

namespace rawgate::file {

// What the attempt that brings the last byte asks for, beside what the first one's spec does.
struct CommitTerms {
  std::span<const Digests> expected = {};
  bool if_absent = false;
};

// Thread-safe; every method may block on the disk, and waits for a piece that is being written, but
// never for the end of an upload.
class UploadInProgress {
 public:
  // `received` bytes are in `file` already, the last of which came at `last_active`. Counts as one
  // of the store's plain uploads, unless it is resumable.
  UploadInProgress(FileStore& store, UploadSpec spec, TemporaryFile file, uint64_t received = 0,
                   absl::Time last_active = absl::Now());
  ~UploadInProgress();
  UploadInProgress(const UploadInProgress&) = delete;
  UploadInProgress& operator=(const UploadInProgress&) = delete;

  // RESOURCE_EXHAUSTED (TOO_MANY_UPLOADS) when there are `max` or more already.
  static absl::Status CheckCount(size_t now, size_t max);

  const UploadSpec& spec() const { return spec_; }

  // Before the first byte. Errors: RESOURCE_EXHAUSTED (QUOTA_EXCEEDED, NO_SPACE).
  absl::Status Prepare();

  // More came by way of another process while nobody here was at it: `received` bytes are there.
  void CatchUp(uint64_t received, absl::Time last_active);

  // ---- Attempts. Errors of all: NOT_FOUND (UPLOAD_NOT_FOUND) when the upload was given up;
  // ABORTED (UPLOAD_TAKEN_OVER) for any but the newest attempt, (UPLOAD_COMPLETING) while it is
  // being stored.

  struct Attempt {
    uint64_t number;
    // Of the first byte that it is to bring.
    uint64_t offset;
  };
  // A new attempt, which begins at `offset`, or wherever the upload is. Error: ABORTED
  // (WRONG_OFFSET), with the right one.
  absl::StatusOr<Attempt> Claim(std::optional<uint64_t> offset);
  // Begins to compute digests of these kinds, so that they are there at the end.
  void Want(DigestKinds kinds);
  // See FileUpload.
  absl::Status Append(uint64_t attempt, absl::string_view bytes);
  absl::Status AppendFromPipe(uint64_t attempt, int pipe, size_t size);
  // Verifies and names the file, durably. DATA_LOSS is final; other errors leave the upload as it
  // was.
  absl::StatusOr<FileInfo> Commit(uint64_t attempt, const CommitTerms& terms);
  // An attempt of one piece. Returns what is received then. Error: ABORTED (WRITE_IN_PROGRESS).
  absl::StatusOr<uint64_t> WriteChunk(uint64_t offset, absl::string_view bytes);

  // ---- How far it is.

  // Of the file that the bytes are in; the same throughout.
  int fd() const { return file_.fd(); }
  // Not while it is being stored by another thread.
  const TemporaryFile& temporary() const { return file_.temporary(); }
  uint64_t received() const;
  absl::Time last_active() const;
  // Digest of what was received. Errors: those of attempts; INTERNAL (DIGEST_UNAVAILABLE);
  // RESOURCE_EXHAUSTED (TOO_MANY_DIGESTS), see DigestRead.
  absl::StatusOr<FileDigest::Prefix> DigestOfReceived();
  // Brings what was received to disk, and returns how much that is. Errors: those of attempts;
  // DATA_LOSS (SYNC_FAILED), which is
  // final: the upload fails, whatever comes.
  absl::StatusOr<uint64_t> Sync();

  // From now on no attempt gets anything done. Errors: those of attempts.
  absl::Status GiveUp();
  bool given_up() const;
  // As GiveUp(), if nothing has come since `time`. False: something has, or it is being stored.
  bool GiveUpIfIdleSince(absl::Time time);

  // Notes the digests of the stored file, as it is now.
  void RememberDigests(const Digests& digests);

 private:
  enum class State { kReceiving, kCompleting, kStored, kGivenUp };

  absl::Status Check(uint64_t attempt) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CheckState() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<Attempt> ClaimLocked(std::optional<uint64_t> offset)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<FileInfo> Store(const CommitTerms& terms);

  FileStore& store_;
  const UploadSpec spec_;
  std::atomic<bool> writing_chunk_{false};
  mutable absl::Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kReceiving;
  uint64_t attempt_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Time last_active_ ABSL_GUARDED_BY(mutex_);
  // When its digests were those of the commit.
  struct stat verified_ = {};
  // Under the lock while receiving; of the thread that commits while completing.
  PartialFile file_;
};

}  // namespace rawgate::file
