#include "services/file/file_destination.h"

#include <errno.h>
#include <fcntl.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "services/file/file_errors.h"

namespace rawgate::file {
namespace {

// Folders removed under an upload, by others and one after the other, before it gives up.
constexpr int kPublishAttempts = 3;

absl::Status CheckLeaf(FileStore& store, const UploadSpec& spec, int folder) {
  struct stat existing;
  if (store.syscalls.FstatAt(folder, spec.name.leaf(), &existing, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? absl::OkStatus() : StoringError(errno, spec.name);
  }
  if (!S_ISREG(existing.st_mode)) return NotAFile(spec.name);
  return spec.if_absent ? FileExists(spec.name) : absl::OkStatus();
}

absl::Status CheckSpace(FileStore& store, const UploadSpec& spec, int folder, uint64_t received) {
  struct statvfs space;
  if (store.syscalls.FstatVfs(folder, &space) != 0) return StoringError(errno, spec.name);
  const uint64_t wanted = spec.size_known ? spec.size - received : 0;
  // A file system without a size of its own (tmpfs with size=0) does not tell.
  if (wanted == 0 || space.f_blocks == 0 || space.f_frsize == 0) return absl::OkStatus();
  const bool fits = wanted / space.f_frsize < space.f_bavail;
  return fits ? absl::OkStatus() : StoringError(ENOSPC, spec.name);
}

// 0 when there is none.
uint64_t SizeOf(FileStore& store, int folder, const FileName& name) {
  struct stat existing;
  const bool there =
      store.syscalls.FstatAt(folder, name.leaf(), &existing, AT_SYMLINK_NOFOLLOW) == 0;
  return there && S_ISREG(existing.st_mode) ? static_cast<uint64_t>(existing.st_size) : 0;
}

}  // namespace

absl::StatusOr<Fd> CheckDestination(FileStore& store, const UploadSpec& spec, uint64_t received) {
  if (spec.size > store.file_max_bytes) {
    return FieldError(
        "size", "FILE_TOO_LARGE",
        absl::StrCat(spec.size, " bytes; at most ", store.file_max_bytes, " are allowed"));
  }
  FileName folder = spec.name.Parent();
  Fd at = store.root.OpenFolder(folder);
  bool parent = true;
  while (!at && errno == ENOENT && !folder.is_root()) {
    folder = folder.Parent();
    parent = false;
    at = store.root.OpenFolder(folder);
  }
  if (!at) return StoringError(errno, spec.name);
  if (parent) {
    if (absl::Status status = CheckLeaf(store, spec, at.get()); !status.ok()) return status;
  }
  if (absl::Status status = CheckSpace(store, spec, at.get(), received); !status.ok()) {
    return status;
  }
  return at;
}

absl::StatusOr<uint64_t> TakeDestination(FileStore& store, const FileName& name, bool if_absent,
                                         TemporaryFile& file) {
  const NameLocks::Guard lock(store.names, name);
  absl::Status published;
  uint64_t replaced = 0;
  for (int attempt = 0; attempt < kPublishAttempts; ++attempt) {
    absl::StatusOr<Fd> folder = store.folders.Make(name.Parent());
    if (!folder.ok()) {
      published = folder.status();
    } else {
      if (store.usage.limited()) replaced = SizeOf(store, folder->get(), name);
      published = Publish(file, folder->get(), name, if_absent, store.syscalls);
    }
    if (!absl::IsAborted(published)) break;
  }
  if (!published.ok()) return published;
  return replaced;
}

}  // namespace rawgate::file
