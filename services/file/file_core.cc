#include "services/file/file_core.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/numeric/int128.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "services/file/file_errors.h"
#include "services/file/file_lookup.h"
#include "services/file/file_move.h"
#include "services/file/file_sweep.h"

namespace rawgate::file {
namespace {

// A file system of this machine alone, for certain: not NFS, CIFS, FUSE, or one for a cluster.
bool IsLocal(int folder) {
  struct statfs status;
  if (::fstatfs(folder, &status) != 0) return false;
  constexpr std::array<uint32_t, 9> kLocal = {
      EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC,       BTRFS_SUPER_MAGIC,    TMPFS_MAGIC, RAMFS_MAGIC,
      F2FS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC, 0x2FC12FC1 /* ZFS */, 0xCA451A4E /* bcachefs */};
  return std::find(kLocal.begin(), kLocal.end(), static_cast<uint32_t>(status.f_type)) !=
         kLocal.end();
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileCore>> FileCore::Open(Options options, Syscalls& syscalls) {
  absl::StatusOr<FileRoot> root = FileRoot::Open(options.root, syscalls);
  if (!root.ok()) return root.status();
  std::unique_ptr<FileCore> core(new FileCore(*std::move(root), options.quota_bytes, syscalls));
  FileStore& store = core->store_;
  store.file_max_bytes = std::min(options.file_max_bytes, kFileBytesMax);
  store.uploads_max = options.uploads_max;
  store.background = std::move(options.background);
  const Fd folder = store.root.OpenFolder(FileName());
  if (!folder) return ErrnoError(errno, absl::StrCat("opening ", options.root));
  store.shared_by_machines = options.shared_by_machines.value_or(!IsLocal(folder.get()));
  store.link_method = ProbeLinkMethod(folder.get(), syscalls);
  if (store.usage.limited()) store.usage.Add(SizeOfAllFiles(store.root, syscalls));
  store.unfinished =
      std::make_unique<UnfinishedUploads>(store, options.upload_expiry, std::move(options.boot_id));
  store.unfinished->Load();
  return core;
}

absl::StatusOr<std::unique_ptr<FileUpload>> FileCore::BeginUpload(UploadSpec spec) {
  if (!spec.size_known) spec.size = std::min(spec.size, store_.file_max_bytes);
  return FileUpload::Begin(store_, std::move(spec));
}

absl::StatusOr<FileDownload> FileCore::OpenDownload(const FileName& name, uint64_t offset,
                                                    std::optional<uint64_t> length) {
  return FileDownload::Open(store_, name, offset, length);
}

std::optional<FileInfo> FileCore::FindStored(const UploadSpec& spec) {
  // Only of an attempt that has nothing left to send: what begins anew under an old id may be
  // another version.
  if (spec.resumable() && spec.size_known && spec.size > 0 && spec.offset == spec.size) {
    std::optional<FileInfo> completed = FindCompleted(spec.upload_id);
    if (completed && completed->filename == spec.name.text() && completed->size == spec.size &&
        CheckStored(*completed, spec.expected).ok()) {
      return completed;
    }
  }
  if (spec.if_absent) return std::nullopt;
  return file::FindStored(store_, spec);
}

absl::Status FileCore::CheckStored(const FileInfo& stored, const Digests& expected) {
  return file::CheckStored(store_, stored, expected);
}

absl::StatusOr<UploadState> FileCore::CreateUpload(const UploadSpec& spec) {
  const auto upload = store_.unfinished->FindOrBegin(spec);
  if (!upload.ok()) return upload.status();
  return store_.unfinished->StateOf(**upload);
}

absl::StatusOr<uint64_t> FileCore::WriteChunk(absl::string_view id, uint64_t offset,
                                              absl::string_view bytes) {
  const auto upload = store_.unfinished->Find(id);
  if (!upload.ok()) return upload.status();
  return (*upload)->WriteChunk(offset, bytes);
}

absl::StatusOr<FileCore::UploadProgress> FileCore::GetUpload(absl::string_view id) {
  const auto upload = store_.unfinished->Find(id);
  if (!upload.ok()) return upload.status();
  absl::StatusOr<FileDigest::Prefix> prefix = (*upload)->DigestOfReceived();
  if (!prefix.ok()) return prefix.status();
  if (const auto noted = store_.unfinished->Checkpoint(**upload); !noted.ok()) {
    return noted.status();
  }
  UploadProgress progress{.state = store_.unfinished->StateOf(**upload),
                          .prefix_sha256 = std::move(prefix->digests.sha256)};
  // More may have come since.
  progress.state.committed = prefix->size;
  return progress;
}

absl::StatusOr<uint64_t> FileCore::CommittedSize(const UploadSpec& spec) {
  const auto upload = store_.unfinished->Find(spec.upload_id);
  if (!upload.ok()) return upload.status();
  const UploadSpec& begun = (*upload)->spec();
  // Of another file: ids are the clients' choice.
  if (begun.name.text() != spec.name.text() || begun.size_known != spec.size_known ||
      (spec.size_known && begun.size != spec.size)) {
    return UploadNotFound(spec.upload_id);
  }
  return store_.unfinished->Checkpoint(**upload);
}

std::optional<FileInfo> FileCore::FindCompleted(absl::string_view id) {
  return store_.unfinished->FindCompleted(id);
}

absl::StatusOr<FileInfo> FileCore::CompleteUpload(absl::string_view id, const Digests& expected) {
  const auto upload = store_.unfinished->Find(id);
  if (!upload.ok()) {
    std::optional<FileInfo> completed = FindCompleted(id);
    if (!completed) return upload.status();
    if (absl::Status same = CheckStored(*completed, expected); !same.ok()) return same;
    return *std::move(completed);
  }
  absl::StatusOr<std::unique_ptr<FileUpload>> attempt = FileUpload::TakeOver(store_, *upload);
  if (!attempt.ok()) return attempt.status();
  return (*attempt)->Commit(expected);
}

absl::Status FileCore::AbortUpload(absl::string_view id) { return store_.unfinished->Abort(id); }

std::vector<UploadState> FileCore::ListUploads(absl::string_view after, size_t limit,
                                               std::string* next) {
  return store_.unfinished->List(after, std::clamp<size_t>(limit, 1, kPageSizeMax), next);
}

size_t FileCore::RemoveExpired(absl::Time now) { return store_.unfinished->RemoveExpired(now); }

absl::StatusOr<FileInfo> FileCore::Stat(const FileName& name, bool sha256) {
  return sha256 ? LookUpWithDigests(store_, name, {.sha256 = true}) : LookUp(store_, name);
}

absl::StatusOr<FileInfo> FileCore::Move(const FileName& from, const FileName& to, bool if_absent) {
  return file::Move(store_, from, to, if_absent);
}

absl::StatusOr<FileListing> FileCore::List(const FileName& folder, absl::string_view after,
                                           size_t limit) {
  return ListFolder(store_, folder, after, std::clamp<size_t>(limit, 1, kPageSizeMax));
}

absl::Status FileCore::Delete(const FileName& name) {
  const NameLocks::Guard lock(store_.names, name);
  const Fd folder = store_.root.OpenFolder(name.Parent());
  struct stat status;
  if (!folder ||
      store_.syscalls.FstatAt(folder.get(), name.leaf(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return LookupError(errno, name);
  }
  if (!IsServed(status)) return FileNotFound(name);
  const Fd kept = store_.root.KeepEntry(folder.get(), name.leaf());
  if (!kept) return LookupError(errno, name);
  const int removed = S_ISDIR(status.st_mode)
                          ? store_.folders.Remove(folder.get(), name)
                          : store_.syscalls.UnlinkAt(folder.get(), name.leaf(), 0);
  if (removed != 0 && (errno == ENOTEMPTY || errno == EEXIST)) {
    return Error(absl::StatusCode::kFailedPrecondition, "FOLDER_NOT_EMPTY",
                 absl::StrCat("\"", ToUtf8(name.text()), "\" is not empty"));
  }
  if (removed != 0) return LookupError(errno, name);
  if (S_ISREG(status.st_mode)) store_.usage.Remove(static_cast<uint64_t>(status.st_size));
  return store_.syscalls.Fsync(folder.get()) == 0 ? absl::OkStatus() : SyncError(errno, name);
}

absl::StatusOr<FileCore::Limits> FileCore::GetLimits() {
  const Fd folder = store_.root.OpenFolder(FileName());
  struct statvfs space;
  if (!folder || store_.syscalls.FstatVfs(folder.get(), &space) != 0) {
    return ErrnoError(errno, "the store's file system");
  }
  const absl::uint128 free = absl::uint128(space.f_bavail) * space.f_frsize;
  return Limits{
      .file_max_bytes = store_.file_max_bytes,
      .free_bytes = std::min(static_cast<uint64_t>(std::min<absl::uint128>(free, kFileBytesMax)),
                             store_.usage.Free()),
      .upload_expiry = store_.unfinished->expiry()};
}

size_t FileCore::RemoveLeftovers(std::stop_token stop) {
  return file::RemoveLeftovers(store_.root, std::move(stop), store_.syscalls);
}

}  // namespace rawgate::file
