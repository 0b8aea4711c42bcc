// What all typed transfers share, whatever messages carry them: each is one upload or download, of
// one call, whose bytes are counted and whose progress watchers see.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "runtime/rpc/admission.h"
#include "services/file/disk_pool.h"
#include "services/file/file_core.h"
#include "services/file/file_progress.h"

namespace rawgate::file {

// What a download sends in one message.
inline constexpr size_t kChunkBytes = 256 * 1024;

// What a servicer gives its calls. All of it outlives them.
struct TypedDoor {
  FileCore& core;
  DiskPool& disk;
  rpc::Admission& admission;
  // A transfer whose client makes no progress for so long ends with DEADLINE_EXCEEDED (STALLED).
  absl::Duration stall_timeout;
};

// One thread at a time; every method may block on the disk.
class TypedUpload {
 public:
  // `call` outlives this object.
  TypedUpload(const TypedDoor& door, rpc::Call& call) : door_(door), call_(call) {}

  // Once. Errors: as FileCore::BeginUpload().
  absl::Status Begin(UploadSpec spec);
  bool begun() const { return upload_ != nullptr || stored_; }
  // It began with nothing left to do: the file is stored with the digest that is expected.
  bool stored() const { return stored_.has_value() && verified_; }
  // Of the upload's next byte.
  uint64_t offset() const { return stored_ ? stored_->size : upload_->received(); }
  // See FileUpload.
  absl::Status Append(absl::string_view bytes);
  absl::StatusOr<FileInfo> Commit(const Digests& expected);

 private:
  const TypedDoor& door_;
  rpc::Call& call_;
  std::unique_ptr<FileUpload> upload_;
  // See FileCore::FindStored(). No bytes are taken.
  std::optional<FileInfo> stored_;
  // The digest that the client expects was given at the beginning, not to come at the end.
  bool verified_ = false;
  std::optional<FileProgress> progress_;
};

// As TypedUpload.
class TypedDownload {
 public:
  TypedDownload(const TypedDoor& door, rpc::Call& call) : door_(door), call_(call) {}

  // Once; the file, open. Errors: as FileCore::OpenDownload().
  absl::StatusOr<const FileDownload*> Open(const FileName& name, uint64_t offset,
                                           std::optional<uint64_t> length);
  bool finished() const { return file_->remaining() == 0; }
  // The next bytes in place of what is in `data`. Errors: as FileDownload::Read().
  absl::Status Read(std::string* data);

 private:
  const TypedDoor& door_;
  rpc::Call& call_;
  std::optional<FileDownload> file_;
  std::optional<FileProgress> progress_;
};

}  // namespace rawgate::file
