// One attempt to bring a file into the store.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/file/file_in_progress.h"
#include "services/file/file_info.h"
#include "services/file/file_store.h"
#include "services/file/file_upload_spec.h"

namespace rawgate::file {

// Invisible until Commit() has succeeded; destroyed without it, it leaves nothing, unless the
// upload is resumable: then what came stays, and another attempt goes on. Every method may block on
// the disk. One thread at a time.
//
// A newer attempt at the same upload makes every method of this one fail: ABORTED
// (UPLOAD_TAKEN_OVER); so does giving it up: NOT_FOUND (UPLOAD_NOT_FOUND).
class FileUpload {
 public:
  // See FileCore::BeginUpload().
  static absl::StatusOr<std::unique_ptr<FileUpload>> Begin(FileStore& store, UploadSpec spec);
  // Goes on with a resumable upload wherever it is. Errors: those of UploadInProgress::Claim().
  static absl::StatusOr<std::unique_ptr<FileUpload>> TakeOver(
      FileStore& store, std::shared_ptr<UploadInProgress> upload);

  const UploadSpec& spec() const { return upload_->spec(); }
  // Of the whole file, what this attempt did not bring included.
  uint64_t received() const { return received_; }
  uint64_t remaining() const { return spec().size - received_; }

  // Stores the next bytes. Errors: INVALID_ARGUMENT (SIZE_MISMATCH) for more than were announced,
  // and (FILE_TOO_LARGE) for more than the file system, or without an announcement the store, lets
  // a file have; RESOURCE_EXHAUSTED (NO_SPACE; without an announcement also QUOTA_EXCEEDED); other
  // causes as errno has them; of a resumable upload DATA_LOSS (SYNC_FAILED).
  // After an error only destruction is left.
  absl::Status Append(absl::string_view bytes);

  // Stores the next `size` bytes, all of which are in `pipe`, without copying them through this
  // process. Errors: as Append(), after which some of them may still be in the pipe.
  absl::Status AppendFromPipe(int pipe, size_t size);

  // Makes the file durable, checks it against what this attempt's spec, the first one's and
  // `expected` expect, gives it its
  // name, durably. Once. Errors: INVALID_ARGUMENT (SIZE_MISMATCH) when bytes are missing; DATA_LOSS
  // (DIGEST_MISMATCH, SYNC_FAILED), which end a resumable upload too; those of Publish().
  absl::StatusOr<FileInfo> Commit(const Digests& expected = {});

 private:
  FileUpload(FileStore& store, std::shared_ptr<UploadInProgress> upload,
             UploadInProgress::Attempt attempt)
      : store_(store),
        upload_(std::move(upload)),
        attempt_(attempt.number),
        received_(attempt.offset),
        checkpoint_(attempt.offset) {}
  static absl::StatusOr<std::unique_ptr<FileUpload>> Claim(FileStore& store,
                                                           std::shared_ptr<UploadInProgress> upload,
                                                           std::optional<uint64_t> offset);
  // Of a plain upload.
  static absl::StatusOr<std::shared_ptr<UploadInProgress>> BeginPlain(FileStore& store,
                                                                      UploadSpec spec);
  absl::Status Count(absl::Status stored, uint64_t bytes);

  FileStore& store_;
  // Second owner, of a resumable one: the table of them.
  std::shared_ptr<UploadInProgress> upload_;
  const uint64_t attempt_;
  Digests expected_;
  bool if_absent_ = false;
  uint64_t received_;
  // Up to where a power cut takes nothing.
  uint64_t checkpoint_;
};

}  // namespace rawgate::file
