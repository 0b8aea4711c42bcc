// Unfinished uploads as they pass from one process, or run of the machine, to another.
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "services/file/file_upload_folder.h"

namespace rawgate::file {
namespace {

// Times that a file may get another place while it is being opened.
constexpr int kOpenAttempts = 4;
// When it is worth asking again for one that another process holds.
constexpr absl::Duration kRetryDelay = absl::Seconds(1);

absl::Status NotHere() { return absl::NotFoundError("no such upload"); }
absl::Status Unreadable() {
  return WithRetryAfter(Error(absl::StatusCode::kUnavailable, "UPLOAD_UNREADABLE",
                              "what has come of the upload cannot be read at the moment"),
                        kRetryDelay);
}

enum class Lock { kHeld, kBusy, kNone };

// kNone: this file system has no locks, so that each process keeps what it has.
Lock TryLock(int file) {
  if (::flock(file, LOCK_EX | LOCK_NB) == 0) return Lock::kHeld;
  return errno == EWOULDBLOCK ? Lock::kBusy : Lock::kNone;
}

}  // namespace

absl::StatusOr<UploadFolder::Found> UploadFolder::Load(const std::string& id) {
  const int folder = CheckUploadId(id).ok() ? Open() : -1;
  if (folder < 0) return NotHere();
  return LoadFrom(folder, id);
}

absl::StatusOr<UploadFolder::Found> UploadFolder::LoadFrom(int folder, const std::string& id) {
  // Only what is of no use for certain is removed: not what cannot be read at the moment, for want
  // of descriptors or otherwise.
  for (int attempt = 0; attempt < kOpenAttempts; ++attempt) {
    Fd file = root_.OpenEntry(folder, id.c_str(), O_RDWR | O_NONBLOCK);
    if (!file && errno != ENOENT) return Unreadable();
    if (!file) {
      struct stat record;
      if (syscalls_.FstatAt(folder, RecordName(id).c_str(), &record, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? NotHere() : Unreadable();
      }
      // A record alone goes as it would with a file: by the hand that holds the name.
      const TemporaryFile name_holder = CreateFile(folder, id);
      if (!name_holder && errno == EEXIST) continue;
      if (!name_holder) return Unreadable();
      const absl::Status removed = RemoveUseless(folder, id, ReadRecord(folder, id));
      if (absl::IsUnavailable(removed)) syscalls_.UnlinkAt(folder, id.c_str(), 0);
      return removed;
    }
    switch (TryLock(file.get())) {
      case Lock::kBusy:
        return Elsewhere(folder, id);
      case Lock::kNone:
        return Unreadable();
      case Lock::kHeld:
        break;
    }
    // Another process may have removed it before it was locked here, and begun another.
    if (!IsNamed(folder, id, file.get())) {
      if (errno != 0 && errno != ENOENT) return Unreadable();
      continue;
    }
    absl::StatusOr<Examined> examined = Examine(folder, id, file.get());
    if (!examined.ok()) return examined.status();
    return Found{.spec = std::move(examined->spec),
                 .file = TemporaryFile::Adopt(std::move(file), folder, id, syscalls_),
                 .progress = examined->progress};
  }
  return Elsewhere(folder, id);
}

absl::StatusOr<UploadFolder::Progress> UploadFolder::Retake(const std::string& id, int file) {
  const int folder = Open();
  // First without the lock: the file may be stored, and be locked by who replaces it there.
  if (folder < 0 || !IsNamed(folder, id, file)) return NotHere();
  const Lock lock = TryLock(file);
  if (lock == Lock::kBusy) return Elsewhere(folder, id);
  absl::StatusOr<Examined> examined = NotHere();
  if (IsNamed(folder, id, file)) examined = Examine(folder, id, file);
  if (examined.ok()) return examined->progress;
  Release(file);
  return examined.status();
}

void UploadFolder::Release(int file) { ::flock(file, LOCK_UN); }

bool UploadFolder::IsNamed(int folder, const std::string& id, int file) const {
  struct stat open;
  struct stat named;
  if (syscalls_.FstatAt(file, "", &open, AT_EMPTY_PATH) != 0 ||
      syscalls_.FstatAt(folder, id.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0) {
    return false;
  }
  errno = 0;
  return open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

absl::StatusOr<UploadFolder::Examined> UploadFolder::Examine(int folder, const std::string& id,
                                                             int file) {
  const absl::StatusOr<UploadRecord> record = ReadRecord(folder, id);
  if (absl::IsUnavailable(record.status())) return Unreadable();
  struct stat status;
  if (syscalls_.FstatAt(file, "", &status, AT_EMPTY_PATH) != 0) return Unreadable();
  // Two names: it was stored. Another inode's: so it was, and what is here now is the older file,
  // if there was one.
  if (!record.ok() || !S_ISREG(status.st_mode) || status.st_nlink != 1 ||
      status.st_ino != record->inode) {
    return RemoveUseless(folder, id, record);
  }
  const uint64_t received = Received(*record, status);
  // Not without need: it counts as the time of the last byte.
  if (received != static_cast<uint64_t>(status.st_size) &&
      syscalls_.Ftruncate(file, static_cast<off_t>(received)) != 0) {
    return Unreadable();
  }
  // What comes from here on is in the hands of this run of the machine. Should that not get noted
  // down, a restart loses it, but nothing that is on disk.
  if (record->boot_id != boot_id_) {
    WriteRecord(folder, {record->spec, received, record->inode, boot_id_}, true).IgnoreError();
  }
  return Examined{
      .spec = record->spec,
      .progress = {.received = received, .last_active = absl::TimeFromTimespec(status.st_mtim)}};
}

absl::Status UploadFolder::RemoveUseless(int folder, const std::string& id,
                                         const absl::StatusOr<UploadRecord>& record) const {
  if (absl::IsUnavailable(record.status())) return Unreadable();
  // Whoever stored it may have ended before that was on disk.
  if (record.ok() && !SyncFolder(record->spec.name.Parent())) return Unreadable();
  RemoveHeld(folder, id, false);
  return NotHere();
}

uint64_t UploadFolder::Received(const UploadRecord& record, const struct stat& status) const {
  auto received = static_cast<uint64_t>(status.st_size);
  if (record.boot_id != boot_id_ || boot_id_.empty()) received = std::min(received, record.synced);
  return std::min(received, record.spec.size);
}

std::optional<std::pair<UploadSpec, UploadFolder::Progress>> UploadFolder::Peek(
    const std::string& id) {
  const int folder = CheckUploadId(id).ok() ? Open() : -1;
  struct stat status;
  if (folder < 0 || syscalls_.FstatAt(folder, id.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return std::nullopt;
  }
  absl::StatusOr<UploadRecord> record = ReadRecord(folder, id);
  if (!record.ok() || status.st_ino != record->inode) return std::nullopt;
  const Progress progress{.received = Received(*record, status),
                          .last_active = absl::TimeFromTimespec(status.st_mtim)};
  return std::make_pair(std::move(record->spec), progress);
}

absl::Status UploadFolder::Elsewhere(int folder, const std::string& id) const {
  struct stat status;
  const absl::StatusOr<UploadRecord> record = ReadRecord(folder, id);
  const bool whole = record.ok() && record->spec.size_known &&
                     syscalls_.FstatAt(folder, id.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                     status.st_ino == record->inode &&
                     static_cast<uint64_t>(status.st_size) == record->spec.size;
  return WithRetryAfter(
      Error(absl::StatusCode::kAborted, whole ? "UPLOAD_COMPLETING" : "UPLOAD_TAKEN_OVER",
            absl::StrCat("upload \"", id, "\" is in the hands of another process")),
      kRetryDelay);
}

}  // namespace rawgate::file
