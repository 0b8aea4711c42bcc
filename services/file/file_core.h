// The file store: named files below one folder, put there whole and durably, or not at all.
//
// What it promises:
//
// - A name refers to a complete file or to nothing. What is being uploaded has no name; it gets one
//   in a single step, which replaces an older file of that name. Until then the older file is what
//   everybody sees, and it stays on every failure.
// - When Commit() returns OK, the file's bytes, its name and every folder on the way to it are on
//   stable storage, as far as fsync(2) can bring that about: they survive a power cut. So does a
//   deletion when Delete() has returned OK. A failed fsync is never tried again: it fails the
//   upload (DATA_LOSS, SYNC_FAILED).
// - Expected digests are compared with what is stored, read back, before the file gets its name.
// - Nothing outside the root is read or written, whatever names say and whoever swaps symbolic
//   links meanwhile: links are not followed, even inside the root, and like everything that is
//   neither file nor folder they count as absent.
// - A process that ends at any moment leaves nothing visible; what it leaves hidden (on file
//   systems without O_TMPFILE, and for the microseconds of a replacement) RemoveLeftovers() clears
//   away.
//
// Limits of these promises: a file system that cannot swap two names (renameat2, RENAME_EXCHANGE)
// has already lost the older file when it refuses the final fsync of the folder; and folders that
// others remove and make again below the root are not known to be new.
//
// Errors are absl::Status with a reason (runtime/base/status.h). Beside those that each method
// names, a call may fail with the errno's own code and reason, such as PERMISSION_DENIED (EACCES)
// or FAILED_PRECONDITION (EROFS) in a store that is read-only.
//
// Neither sockets nor protobuf are known here. Thread-safe, and every method may block on the disk:
// never call it on a loop thread or in a gRPC callback.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/file/file_download.h"
#include "services/file/file_info.h"
#include "services/file/file_listing.h"
#include "services/file/file_name.h"
#include "services/file/file_store.h"
#include "services/file/file_syscalls.h"
#include "services/file/file_upload.h"

namespace rawgate::file {

// Bytes: the largest file that any protocol of ours can announce.
inline constexpr uint64_t kFileBytesMax = INT64_MAX;
inline constexpr size_t kPageSizeDefault = 100;
inline constexpr size_t kPageSizeMax = 1000;

class FileCore {
 public:
  struct Options {
    // See FileRoot::Open().
    std::string root = {};
    // Largest file accepted.
    uint64_t file_max_bytes = kFileBytesMax;
    // At once; each holds one descriptor.
    size_t uploads_max = 1024;
    // Runs a piece of work, which blocks, on another thread than the caller's; used for digests of
    // large files. Empty: they are computed in Commit(). What it was given must have run, or have
    // been dropped, before this object's destruction.
    std::function<void(std::function<void()>)> background = {};
  };

  // `syscalls` outlives the result. Errors: as FileRoot::Open().
  static absl::StatusOr<std::unique_ptr<FileCore>> Open(Options options,
                                                        Syscalls& syscalls = Syscalls::Kernel());

  // Takes an upload on, after looking at everything that can be known before its first byte. This
  // object outlives the result. Errors: INVALID_ARGUMENT (FILE_TOO_LARGE),
  // RESOURCE_EXHAUSTED (NO_SPACE, TOO_MANY_UPLOADS), FAILED_PRECONDITION (NOT_A_FILE: the name is a
  // folder, or goes through a file), ALREADY_EXISTS (FILE_EXISTS).
  absl::StatusOr<std::unique_ptr<FileUpload>> BeginUpload(UploadSpec spec);

  // Opens `length` bytes from `offset` on; no length, or more than there is, means to the end.
  // Errors: NOT_FOUND (FILE_NOT_FOUND), OUT_OF_RANGE (OFFSET_PAST_END), FAILED_PRECONDITION
  // (NOT_A_FILE).
  absl::StatusOr<FileDownload> OpenDownload(const FileName& name, uint64_t offset = 0,
                                            std::optional<uint64_t> length = std::nullopt);

  // Errors: NOT_FOUND (FILE_NOT_FOUND).
  absl::StatusOr<FileInfo> Stat(const FileName& name);

  // See ListFolder(). `limit` is cut at kPageSizeMax.
  absl::StatusOr<FileListing> List(const FileName& folder, absl::string_view after, size_t limit);

  // Removes a file, or an empty folder. Errors: NOT_FOUND (FILE_NOT_FOUND), FAILED_PRECONDITION
  // (FOLDER_NOT_EMPTY), DATA_LOSS (SYNC_FAILED).
  absl::Status Delete(const FileName& name);

  struct Limits {
    uint64_t file_max_bytes;
    // Free space of the root's file system now.
    uint64_t free_bytes;
  };
  absl::StatusOr<Limits> GetLimits();

  // See file_listing.h.
  size_t RemoveLeftovers(std::stop_token stop = {});

 private:
  FileCore(FileRoot root, Syscalls& syscalls) : store_(std::move(root), syscalls) {}

  FileStore store_;
};

}  // namespace rawgate::file
