// One file on its way into the store.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/file/file_digest.h"
#include "services/file/file_info.h"
#include "services/file/file_name.h"
#include "services/file/file_store.h"

namespace rawgate::file {

struct UploadSpec {
  FileName name = {};
  // Exactly so many bytes will come.
  uint64_t size = 0;
  // Compared with what came; normalized (see NormalizeDigests).
  Digests expected = {};
  // Computed and told even when not expected.
  DigestKinds wanted = {};
  // Fail rather than replace.
  bool if_absent = false;
};

// Invisible until Commit() has succeeded; destroyed without it, it leaves nothing. Every method may
// block on the disk. One thread at a time.
class FileUpload {
 public:
  // See FileCore::BeginUpload().
  static absl::StatusOr<std::unique_ptr<FileUpload>> Begin(FileStore& store, UploadSpec spec);
  ~FileUpload();
  FileUpload(const FileUpload&) = delete;
  FileUpload& operator=(const FileUpload&) = delete;

  const UploadSpec& spec() const { return spec_; }
  uint64_t received() const { return received_; }
  uint64_t remaining() const { return spec_.size - received_; }

  // Stores the next bytes. Errors: INVALID_ARGUMENT (SIZE_MISMATCH) for more than were announced,
  // and (FILE_TOO_LARGE) for more than the file system lets a file have; RESOURCE_EXHAUSTED
  // (NO_SPACE); other causes as errno has them. After an error only destruction is left.
  absl::Status Append(absl::string_view bytes);

  // Stores the next `size` bytes, all of which are in `pipe`, without copying them through this
  // process. Errors: as Append(), after which some of them may still be in the pipe.
  absl::Status AppendFromPipe(int pipe, size_t size);

  // Makes the file durable, checks it, gives it its name, durably. Once. Errors: INVALID_ARGUMENT
  // (SIZE_MISMATCH) when bytes are missing; DATA_LOSS (DIGEST_MISMATCH, SYNC_FAILED); those of
  // Publish().
  absl::StatusOr<FileInfo> Commit();

 private:
  FileUpload(FileStore& store, UploadSpec spec) : store_(store), spec_(std::move(spec)) {}
  absl::Status Prepare();
  absl::Status CheckLeaf(int folder) const;
  absl::Status CheckSpace(int folder) const;
  absl::Status Reserve(uint64_t next);
  absl::Status AppendByReading(int pipe, size_t size);
  void CountWritten(uint64_t bytes);
  absl::StatusOr<Digests> CheckDigests();
  absl::Status PublishInFolder();
  absl::Status SizeMismatch(absl::string_view arrived) const;

  FileStore& store_;
  const UploadSpec spec_;
  TemporaryFile file_;
  uint64_t received_ = 0;
  // Up to where the file system has set blocks aside.
  uint64_t reserved_ = 0;
  // Up to where the kernel was asked to begin writing to disk.
  uint64_t written_back_ = 0;
  // Also owned by a CatchUp() in progress in the background.
  std::shared_ptr<FileDigest> digest_;
};

}  // namespace rawgate::file
