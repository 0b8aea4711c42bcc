#include "services/file/file_upload.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "services/file/file_errors.h"

namespace rawgate::file {
namespace {

using absl::StatusCode;

// Files below this are written without a reservation: it would cost more than it tells.
constexpr uint64_t kReserveFrom = 1 << 20;
// Set aside ahead of what has come: as much again, within these. An announcement alone, true or
// not, takes no space from others.
constexpr uint64_t kReserveAheadMin = 1 << 20;
constexpr uint64_t kReserveAheadMax = 64 << 20;
// Dirty bytes of one upload after which the disk is put to work, so that the final fdatasync finds
// little left to do.
constexpr uint64_t kWriteBackStep = 8 << 20;
// On the stack, where splicing does not work.
constexpr size_t kCopySize = 64 * 1024;
// Folders removed under an upload, by others and one after the other, before it gives up.
constexpr int kPublishAttempts = 3;
constexpr absl::Duration kRetryDelay = absl::Seconds(1);

absl::Status DigestMismatch(absl::string_view kind, const std::string& expected,
                            const std::string& actual) {
  return Error(StatusCode::kDataLoss, "DIGEST_MISMATCH",
               absl::StrCat("the ", kind, " of what arrived is ", actual, ", not ", expected));
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileUpload>> FileUpload::Begin(FileStore& store, UploadSpec spec) {
  if (spec.size > store.file_max_bytes) {
    return FieldError(
        "size", "FILE_TOO_LARGE",
        absl::StrCat(spec.size, " bytes; at most ", store.file_max_bytes, " are allowed"));
  }
  const size_t before = store.uploads.fetch_add(1);
  std::unique_ptr<FileUpload> upload(new FileUpload(store, std::move(spec)));
  if (before >= store.uploads_max) {
    return WithRetryAfter(Error(StatusCode::kResourceExhausted, "TOO_MANY_UPLOADS",
                                absl::StrCat("already ", before, " uploads in progress")),
                          kRetryDelay);
  }
  if (absl::Status status = upload->Prepare(); !status.ok()) return status;
  return upload;
}

FileUpload::~FileUpload() {
  if (digest_ != nullptr) digest_->Abandon();
  store_.uploads.fetch_sub(1);
}

absl::Status FileUpload::Prepare() {
  // The deepest folder that is there: what is missing is made only when the file is whole, and in
  // the same file system.
  FileName folder = spec_.name.Parent();
  Fd at = store_.root.OpenFolder(folder);
  bool parent = true;
  while (!at && errno == ENOENT && !folder.is_root()) {
    folder = folder.Parent();
    parent = false;
    at = store_.root.OpenFolder(folder);
  }
  if (!at) return StoringError(errno, spec_.name);
  if (parent) {
    if (absl::Status status = CheckLeaf(at.get()); !status.ok()) return status;
  }
  if (absl::Status status = CheckSpace(at.get()); !status.ok()) return status;

  file_ = TemporaryFile::Create(std::move(at), store_.link_method, store_.syscalls);
  if (!file_) return StoringError(errno, spec_.name);
  if (absl::Status status = Reserve(0); !status.ok()) return status;
  const DigestKinds kinds{.md5 = spec_.wanted.md5 || !spec_.expected.md5.empty(),
                          .sha256 = spec_.wanted.sha256 || !spec_.expected.sha256.empty()};
  if (kinds.any()) digest_ = std::make_shared<FileDigest>(file_.shared_fd(), kinds);
  return absl::OkStatus();
}

absl::Status FileUpload::CheckLeaf(int folder) const {
  struct stat existing;
  if (store_.syscalls.FstatAt(folder, spec_.name.leaf(), &existing, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? absl::OkStatus() : StoringError(errno, spec_.name);
  }
  if (!S_ISREG(existing.st_mode)) return NotAFile(spec_.name);
  return spec_.if_absent ? FileExists(spec_.name) : absl::OkStatus();
}

absl::Status FileUpload::CheckSpace(int folder) const {
  struct statvfs space;
  if (store_.syscalls.FstatVfs(folder, &space) != 0) return StoringError(errno, spec_.name);
  // A file system without a size of its own (tmpfs with size=0) does not tell.
  if (spec_.size == 0 || space.f_blocks == 0 || space.f_frsize == 0) return absl::OkStatus();
  const bool fits = spec_.size / space.f_frsize < space.f_bavail;
  return fits ? absl::OkStatus() : StoringError(ENOSPC, spec_.name);
}

// Makes sure that `next` bytes more have their place, and some after them.
absl::Status FileUpload::Reserve(uint64_t next) {
  if (spec_.size < kReserveFrom || received_ + next < reserved_ || reserved_ == spec_.size)
    return absl::OkStatus();
  const uint64_t ahead = std::clamp(received_, kReserveAheadMin, kReserveAheadMax);
  const uint64_t until = std::min(spec_.size, received_ + next + ahead);
  // KEEP_SIZE: the file is as long as what has been received.
  while (store_.syscalls.Fallocate(file_.fd(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(reserved_),
                                   static_cast<off_t>(until - reserved_)) != 0) {
    if (errno == EINTR) continue;
    if (errno != EOPNOTSUPP && errno != ENOSYS) return StoringError(errno, spec_.name);
    // Not to be had in this file system: not asked for again.
    reserved_ = spec_.size;
    return absl::OkStatus();
  }
  reserved_ = until;
  return absl::OkStatus();
}

absl::Status FileUpload::Append(absl::string_view bytes) {
  if (bytes.size() > remaining()) return SizeMismatch("more");
  if (absl::Status status = Reserve(bytes.size()); !status.ok()) return status;
  while (!bytes.empty()) {
    const ssize_t n = store_.syscalls.Pwrite(file_.fd(), bytes.data(), bytes.size(),
                                             static_cast<off_t>(received_));
    if (n < 0 && errno == EINTR) continue;
    // A regular file takes at least one byte, or has an errno.
    if (n <= 0) return StoringError(n < 0 ? errno : ENOSPC, spec_.name);
    bytes.remove_prefix(static_cast<size_t>(n));
    CountWritten(static_cast<uint64_t>(n));
  }
  return absl::OkStatus();
}

absl::Status FileUpload::AppendFromPipe(int pipe, size_t size) {
  if (size > remaining()) return SizeMismatch("more");
  if (absl::Status status = Reserve(size); !status.ok()) return status;
  while (size > 0) {
    const ssize_t n =
        store_.syscalls.SpliceFromPipe(pipe, file_.fd(), static_cast<off_t>(received_), size);
    if (n < 0 && errno == EINTR) continue;
    // A file system that cannot be spliced into.
    if (n < 0 && errno == EINVAL) return AppendByReading(pipe, size);
    if (n <= 0) return StoringError(n < 0 ? errno : ENOSPC, spec_.name);
    size -= static_cast<size_t>(n);
    CountWritten(static_cast<uint64_t>(n));
  }
  return absl::OkStatus();
}

absl::Status FileUpload::AppendByReading(int pipe, size_t size) {
  std::array<char, kCopySize> buffer;
  while (size > 0) {
    const ssize_t n = ::read(pipe, buffer.data(), std::min(size, buffer.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return StoringError(n < 0 ? errno : EIO, spec_.name);
    absl::Status appended = Append(absl::string_view(buffer.data(), static_cast<size_t>(n)));
    if (!appended.ok()) return appended;
    size -= static_cast<size_t>(n);
  }
  return absl::OkStatus();
}

void FileUpload::CountWritten(uint64_t bytes) {
  received_ += bytes;
  if (received_ - written_back_ >= kWriteBackStep) {
    // Advice: an error here comes again, and counts, at fdatasync.
    ::sync_file_range(file_.fd(), static_cast<off_t>(written_back_),
                      static_cast<off_t>(received_ - written_back_), SYNC_FILE_RANGE_WRITE);
    written_back_ = received_;
  }
  if (digest_ != nullptr && digest_->SetWritten(received_) && store_.background) {
    store_.background([digest = digest_] { digest->CatchUp(); });
  }
}

absl::StatusOr<FileInfo> FileUpload::Commit() {
  if (remaining() > 0) return SizeMismatch(absl::StrCat("only ", received_));
  // Before the digest is complete, so that disk and hash work at the same time.
  if (store_.syscalls.Fdatasync(file_.fd()) != 0) return SyncError(errno, spec_.name);
  absl::StatusOr<Digests> digests = CheckDigests();
  if (!digests.ok()) return digests.status();

  struct stat status;
  if (store_.syscalls.FstatAt(file_.fd(), "", &status, AT_EMPTY_PATH) != 0) {
    return StoringError(errno, spec_.name);
  }
  if (absl::Status published = PublishInFolder(); !published.ok()) return published;
  FileInfo info = ToFileInfo(spec_.name.text(), status);
  info.digests = *std::move(digests);
  return info;
}

absl::StatusOr<Digests> FileUpload::CheckDigests() {
  if (digest_ == nullptr) return Digests();
  absl::StatusOr<Digests> actual = digest_->Finish();
  if (!actual.ok()) return actual;
  const Digests& expected = spec_.expected;
  if (!expected.sha256.empty() && expected.sha256 != actual->sha256) {
    return DigestMismatch("sha256", expected.sha256, actual->sha256);
  }
  if (!expected.md5.empty() && expected.md5 != actual->md5) {
    return DigestMismatch("md5", expected.md5, actual->md5);
  }
  return actual;
}

absl::Status FileUpload::PublishInFolder() {
  const NameLocks::Guard lock(store_.names, spec_.name);
  absl::Status published;
  for (int attempt = 0; attempt < kPublishAttempts; ++attempt) {
    absl::StatusOr<Fd> folder = store_.folders.Make(spec_.name.Parent());
    if (!folder.ok()) {
      published = folder.status();
    } else {
      published = Publish(file_, folder->get(), spec_.name, spec_.if_absent, store_.syscalls);
    }
    if (!absl::IsAborted(published)) break;
  }
  return published;
}

absl::Status FileUpload::SizeMismatch(absl::string_view arrived) const {
  return FieldError("size", "SIZE_MISMATCH",
                    absl::StrCat(spec_.size, " bytes were announced, ", arrived, " arrived"));
}

}  // namespace rawgate::file
