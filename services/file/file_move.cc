#include "services/file/file_move.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "services/file/file_errors.h"
#include "services/file/file_lookup.h"

namespace rawgate::file {
namespace {

absl::Status MoveError(int errno_value, const FileName& from, const FileName& to) {
  switch (errno_value) {
    case EXDEV:
      return OtherFileSystem(to);
    case EEXIST:
    case EISDIR:
    case ENOTEMPTY:
      return FileExists(to);
    case EINVAL:
      return FieldError(
          "new_filename", "FOLDER_INTO_ITSELF",
          absl::StrCat("\"", ToUtf8(to.text()), "\" is below \"", ToUtf8(from.text()), "\""));
    default:
      return StoringError(errno_value, to);
  }
}

// The move itself, of an entry whose status is `status`. Both names are locked.
absl::Status Rename(FileStore& store, const struct stat& status, const Fd& from_folder,
                    const FileName& from, const Fd& to_folder, const FileName& to, bool if_absent) {
  struct stat there;
  const bool taken =
      store.syscalls.FstatAt(to_folder.get(), to.leaf(), &there, AT_SYMLINK_NOFOLLOW) == 0;
  const bool folder = S_ISDIR(status.st_mode);
  // rename(2) would replace an empty folder, and what is no file.
  if (taken && (if_absent || folder || !S_ISREG(there.st_mode))) return FileExists(to);
  const Fd kept = taken ? store.root.KeepEntry(to_folder.get(), to.leaf()) : Fd();
  if (taken && !kept) return MoveError(errno, from, to);
  const auto rename = [&](unsigned how) {
    return folder ? store.folders.Rename(from_folder.get(), from, to_folder.get(), to, how)
                  : store.syscalls.RenameAt2(from_folder.get(), from.leaf(), to_folder.get(),
                                             to.leaf(), how);
  };
  int moved = rename(taken ? 0 : RENAME_NOREPLACE);
  // On file systems that cannot promise it the look beforehand has to do.
  if (moved != 0 && errno == EINVAL && !taken) moved = rename(0);
  if (moved != 0) return MoveError(errno, from, to);
  if (taken) store.usage.Remove(static_cast<uint64_t>(there.st_size));
  if (store.syscalls.Fsync(to_folder.get()) != 0 || store.syscalls.Fsync(from_folder.get()) != 0) {
    return SyncError(errno, to);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<FileInfo> Move(FileStore& store, const FileName& from, const FileName& to,
                              bool if_absent) {
  if (from.text() == to.text()) {
    return if_absent ? absl::StatusOr<FileInfo>(FileExists(to)) : LookUp(store, from);
  }
  // Always in the same order: two moves that cross must not wait for each other.
  const NameLocks::Guard first(store.names, from.text() < to.text() ? from : to);
  const NameLocks::Guard second(store.names, from.text() < to.text() ? to : from);
  const Fd from_folder = store.root.OpenFolder(from.Parent());
  struct stat status;
  if (!from_folder ||
      store.syscalls.FstatAt(from_folder.get(), from.leaf(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return LookupError(errno, from);
  }
  if (!IsServed(status)) return FileNotFound(from);
  if (absl::StartsWith(to.text(), absl::StrCat(from.text(), "/"))) {
    return S_ISDIR(status.st_mode) ? MoveError(EINVAL, from, to) : NotAFile(to);
  }
  absl::StatusOr<Fd> to_folder = store.folders.Make(to.Parent());
  if (!to_folder.ok()) return to_folder.status();
  const Digests digests = store.digests.Find(status);
  const absl::Status moved = Rename(store, status, from_folder, from, *to_folder, to, if_absent);
  if (!moved.ok()) return moved;
  absl::StatusOr<FileInfo> info = LookUp(store, to);
  if (!info.ok()) return info;
  // rename(2) changes the ctime by which digests are known.
  struct stat now;
  if (store.syscalls.FstatAt(to_folder->get(), to.leaf(), &now, AT_SYMLINK_NOFOLLOW) == 0 &&
      IsSameContent(now, status)) {
    store.digests.Remember(now, digests);
  }
  info->digests = digests;
  return info;
}

}  // namespace rawgate::file
