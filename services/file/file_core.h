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
//   away. Resumable uploads stay: the next process goes on with them.
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
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/file/file_download.h"
#include "services/file/file_info.h"
#include "services/file/file_listing.h"
#include "services/file/file_name.h"
#include "services/file/file_store.h"
#include "services/file/file_syscalls.h"
#include "services/file/file_unfinished.h"
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
    // Plain uploads at once, and resumable ones, whether or not somebody works on them, here or in
    // another process; each holds one descriptor.
    size_t uploads_max = 1024;
    // Bytes of all files and announced uploads; 0: no limit. With a limit all folders are read at
    // the start, and what others change below the root goes unnoticed until the next.
    uint64_t quota_bytes = 0;
    // A resumable upload is given up when nothing has come for so long.
    absl::Duration upload_expiry = absl::Hours(24);
    // Runs a piece of work, which blocks, on another thread than the caller's; used for digests of
    // large files. Empty: they are computed in Commit(). What it was given must have run, or have
    // been dropped, before this object's destruction.
    std::function<void(std::function<void()>)> background = {};
    // See UploadRecord.
    std::string boot_id = BootId();
    // See FileStore; absent: as the root's file system looks.
    std::optional<bool> shared_by_machines = std::nullopt;
  };

  // `syscalls` outlives the result. Errors: as FileRoot::Open().
  static absl::StatusOr<std::unique_ptr<FileCore>> Open(Options options,
                                                        Syscalls& syscalls = Syscalls::Kernel());

  // Takes an upload on, after looking at everything that can be known before its first byte; or, if
  // it is resumable and has begun, goes on with it from spec.offset. This object outlives the
  // result. Errors: INVALID_ARGUMENT (FILE_TOO_LARGE), RESOURCE_EXHAUSTED (NO_SPACE,
  // QUOTA_EXCEEDED, TOO_MANY_UPLOADS), FAILED_PRECONDITION (NOT_A_FILE: the name is a folder, or
  // goes through a file; OTHER_FILE_SYSTEM: the upload is resumable, and its place on another than
  // the root's), ALREADY_EXISTS (FILE_EXISTS; UPLOAD_EXISTS: of another file), NOT_FOUND
  // (UPLOAD_NOT_FOUND: spec.offset is of none that has begun), ABORTED (WRONG_OFFSET,
  // UPLOAD_COMPLETING; UPLOAD_TAKEN_OVER: another process on this root has it in hand), UNAVAILABLE
  // (UPLOAD_UNREADABLE).
  absl::StatusOr<std::unique_ptr<FileUpload>> BeginUpload(UploadSpec spec);

  // The file, if nothing is left to do for `spec`: it is stored with the SHA-256 that the spec
  // expects; or all of its upload had come (spec.offset is its size), and it was completed not long
  // ago. Reads a file of that name and size whose digest is not known.
  std::optional<FileInfo> FindStored(const UploadSpec& spec);
  // DATA_LOSS (DIGEST_MISMATCH) unless `stored` is what `expected` says; reads it if need be.
  absl::Status CheckStored(const FileInfo& stored, const Digests& expected);

  // ---- Resumable uploads without an attempt that lasts. Errors of all: NOT_FOUND
  // (UPLOAD_NOT_FOUND), ABORTED (UPLOAD_COMPLETING; UPLOAD_TAKEN_OVER: another process on this root
  // has it in hand), UNAVAILABLE (UPLOAD_UNREADABLE).

  // Begins one, or finds it. Errors: as BeginUpload().
  absl::StatusOr<UploadState> CreateUpload(const UploadSpec& spec);
  // An attempt of one piece; returns what is committed then. Errors: as FileUpload::Append();
  // ABORTED (WRONG_OFFSET, WRITE_IN_PROGRESS).
  absl::StatusOr<uint64_t> WriteChunk(absl::string_view id, uint64_t offset,
                                      absl::string_view bytes);
  struct UploadProgress {
    UploadState state;
    // Of the first `state.committed` bytes.
    std::string prefix_sha256;
  };
  // How far it is, of what is on disk. Reads back what was not digested before. Error: DATA_LOSS
  // (SYNC_FAILED), which ends the upload.
  absl::StatusOr<UploadProgress> GetUpload(absl::string_view id);
  // Bytes that are on disk of the upload that `spec` began, without a digest of them. Errors: as
  // GetUpload(); NOT_FOUND also when that id is of another file.
  absl::StatusOr<uint64_t> CommittedSize(const UploadSpec& spec);
  // The file of one that was completed not long ago, by this process.
  std::optional<FileInfo> FindCompleted(absl::string_view id);
  // See FileUpload::Commit(). Takes the upload over from whoever sends.
  absl::StatusOr<FileInfo> CompleteUpload(absl::string_view id, const Digests& expected);
  absl::Status AbortUpload(absl::string_view id);
  // See UnfinishedUploads::List().
  std::vector<UploadState> ListUploads(absl::string_view after, size_t limit, std::string* next);
  // Gives up those to which nothing came for too long; returns how many.
  size_t RemoveExpired(absl::Time now);

  // Opens `length` bytes from `offset` on; no length, or more than there is, means to the end.
  // Errors: NOT_FOUND (FILE_NOT_FOUND), OUT_OF_RANGE (OFFSET_PAST_END), FAILED_PRECONDITION
  // (NOT_A_FILE).
  absl::StatusOr<FileDownload> OpenDownload(const FileName& name, uint64_t offset = 0,
                                            std::optional<uint64_t> length = std::nullopt);

  // With `sha256` a file whose digest is not known is read for it. Errors: NOT_FOUND
  // (FILE_NOT_FOUND); then also DATA_LOSS (FILE_SHRUNK).
  absl::StatusOr<FileInfo> Stat(const FileName& name, bool sha256 = false);

  // See ListFolder(). `limit` is cut at kPageSizeMax.
  absl::StatusOr<FileListing> List(const FileName& folder, absl::string_view after, size_t limit);

  // Removes a file, or an empty folder. Errors: NOT_FOUND (FILE_NOT_FOUND), FAILED_PRECONDITION
  // (FOLDER_NOT_EMPTY), DATA_LOSS (SYNC_FAILED).
  absl::Status Delete(const FileName& name);

  // Gives a file or a folder the name `to`, in one step, making missing folders. A file of that
  // name is replaced, unless `if_absent`. Errors: NOT_FOUND (FILE_NOT_FOUND), ALREADY_EXISTS
  // (FILE_EXISTS: also when either is a folder), FAILED_PRECONDITION (NOT_A_FILE,
  // OTHER_FILE_SYSTEM), INVALID_ARGUMENT (FOLDER_INTO_ITSELF), ABORTED (FOLDER_REMOVED), DATA_LOSS
  // (SYNC_FAILED).
  absl::StatusOr<FileInfo> Move(const FileName& from, const FileName& to, bool if_absent);

  struct Limits {
    uint64_t file_max_bytes;
    // Free space of the root's file system now, or what the quota leaves, if that is less.
    uint64_t free_bytes;
    absl::Duration upload_expiry;
  };
  absl::StatusOr<Limits> GetLimits();

  // See file_sweep.h.
  size_t RemoveLeftovers(std::stop_token stop = {});

 private:
  FileCore(FileRoot root, uint64_t quota, Syscalls& syscalls)
      : store_(std::move(root), quota, syscalls) {}

  FileStore store_;
};

}  // namespace rawgate::file
