#include "services/file/file_core.h"

#include <errno.h>
#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "absl/numeric/int128.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "services/file/file_errors.h"

namespace rawgate::file {

absl::StatusOr<std::unique_ptr<FileCore>> FileCore::Open(Options options, Syscalls& syscalls) {
  absl::StatusOr<FileRoot> root = FileRoot::Open(options.root, syscalls);
  if (!root.ok()) return root.status();
  std::unique_ptr<FileCore> core(new FileCore(*std::move(root), syscalls));
  FileStore& store = core->store_;
  store.file_max_bytes = std::min(options.file_max_bytes, kFileBytesMax);
  store.uploads_max = options.uploads_max;
  store.background = std::move(options.background);
  const Fd folder = store.root.OpenFolder(FileName());
  if (!folder) return ErrnoError(errno, absl::StrCat("opening ", options.root));
  store.link_method = ProbeLinkMethod(folder.get(), syscalls);
  return core;
}

absl::StatusOr<std::unique_ptr<FileUpload>> FileCore::BeginUpload(UploadSpec spec) {
  return FileUpload::Begin(store_, std::move(spec));
}

absl::StatusOr<FileDownload> FileCore::OpenDownload(const FileName& name, uint64_t offset,
                                                    std::optional<uint64_t> length) {
  return FileDownload::Open(store_, name, offset, length);
}

absl::StatusOr<FileInfo> FileCore::Stat(const FileName& name) {
  const Fd entry = store_.root.Open(name, O_PATH | O_NOFOLLOW);
  struct stat status;
  if (!entry || store_.syscalls.FstatAt(entry.get(), "", &status, AT_EMPTY_PATH) != 0) {
    return LookupError(errno, name);
  }
  return IsServed(status) ? absl::StatusOr<FileInfo>(ToFileInfo(name.text(), status))
                          : FileNotFound(name);
}

absl::StatusOr<FileListing> FileCore::List(const FileName& folder, absl::string_view after,
                                           size_t limit) {
  return ListFolder(store_.root, folder, after, std::clamp<size_t>(limit, 1, kPageSizeMax),
                    store_.syscalls);
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
  const int removed = S_ISDIR(status.st_mode)
                          ? store_.folders.Remove(folder.get(), name)
                          : store_.syscalls.UnlinkAt(folder.get(), name.leaf(), 0);
  if (removed != 0 && (errno == ENOTEMPTY || errno == EEXIST)) {
    return Error(absl::StatusCode::kFailedPrecondition, "FOLDER_NOT_EMPTY",
                 absl::StrCat("\"", ToUtf8(name.text()), "\" is not empty"));
  }
  if (removed != 0) return LookupError(errno, name);
  return store_.syscalls.Fsync(folder.get()) == 0 ? absl::OkStatus() : SyncError(errno, name);
}

absl::StatusOr<FileCore::Limits> FileCore::GetLimits() {
  const Fd folder = store_.root.OpenFolder(FileName());
  struct statvfs space;
  if (!folder || store_.syscalls.FstatVfs(folder.get(), &space) != 0) {
    return ErrnoError(errno, "the store's file system");
  }
  const absl::uint128 free = absl::uint128(space.f_bavail) * space.f_frsize;
  return Limits{.file_max_bytes = store_.file_max_bytes,
                .free_bytes = static_cast<uint64_t>(std::min<absl::uint128>(free, kFileBytesMax))};
}

size_t FileCore::RemoveLeftovers(std::stop_token stop) {
  return file::RemoveLeftovers(store_.root, std::move(stop), store_.syscalls);
}

}  // namespace rawgate::file
