// The bytes of one upload, as far as they have come.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "services/file/file_digest.h"
#include "services/file/file_store.h"
#include "services/file/file_temporary.h"
#include "services/file/file_upload_spec.h"

namespace rawgate::file {

// Every method may block on the disk. One thread at a time, unless told otherwise.
class PartialFile {
 public:
  // `received` bytes are in `file` already. `store` and `spec` outlive this object.
  PartialFile(FileStore& store, const UploadSpec& spec, TemporaryFile file, uint64_t received);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  uint64_t received() const { return received_; }
  uint64_t remaining() const { return spec_.size - received_; }
  TemporaryFile& temporary() { return file_; }
  const TemporaryFile& temporary() const { return file_; }
  int fd() const { return file_.fd(); }

  // Claims what the quota must hold for all of it. Error: RESOURCE_EXHAUSTED (QUOTA_EXCEEDED).
  absl::Status Claim();
  // Makes sure that `next` bytes more have their place, and some after them. Errors: those of
  // fallocate(2), as StoringError().
  absl::Status Reserve(uint64_t next);

  // `received` bytes are in the file: another process brought what is new.
  void CatchUp(uint64_t received);

  // See FileUpload. After an error the bytes before it are there, and received() tells how many.
  absl::Status Append(absl::string_view bytes);
  absl::Status AppendFromPipe(int pipe, size_t size);

  // Brings what was received to disk. Error: DATA_LOSS (SYNC_FAILED), then and ever after: the
  // kernel tells of a lost page once. Any thread.
  absl::Status Sync();
  // INVALID_ARGUMENT (SIZE_MISMATCH) when bytes are missing.
  absl::Status CheckWhole() const;
  // Digests of all that was received, of every kind that the spec wants or that somebody expects.
  // Error: DATA_LOSS (DIGEST_MISMATCH) when one is not what the spec or one of `expected` expects;
  // INTERNAL (DIGEST_UNAVAILABLE).
  absl::StatusOr<Digests> Verify(std::span<const Digests> expected);

  // Computes at least these `kinds`, reading back what came before. It may be used from another
  // thread.
  std::shared_ptr<FileDigest> DigestOf(DigestKinds kinds);

  // The file has its name, in place of one of `replaced` bytes.
  void CountStored(uint64_t replaced) { claim_.Store(received_, replaced); }

 private:
  // For `next` bytes more.
  absl::Status MakeRoom(uint64_t next);
  absl::Status AppendByReading(int pipe, size_t size);
  void CountWritten(uint64_t bytes);
  void TellDigest();
  // More than there is to come has come.
  absl::Status TooMany() const;
  absl::Status SizeMismatch(absl::string_view arrived) const;

  FileStore& store_;
  const UploadSpec& spec_;
  TemporaryFile file_;
  FileUsage::Claim claim_;
  uint64_t received_;
  // Up to where the file system has set blocks aside.
  uint64_t reserved_;
  // Up to where the kernel was asked to begin writing to disk.
  uint64_t written_back_;
  absl::Mutex sync_mutex_;
  bool sync_failed_ ABSL_GUARDED_BY(sync_mutex_) = false;
  // Also owned by a CatchUp() in progress in the background, and by whoever asked for it.
  std::shared_ptr<FileDigest> digest_;
};

}  // namespace rawgate::file
