#include "services/file/file_lookup.h"

#include <errno.h>
#include <fcntl.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "services/file/file_digest_read.h"
#include "services/file/file_errors.h"

namespace rawgate::file {
namespace {

// Reads all of `file`, whose status is `status`.
absl::StatusOr<Digests> ReadDigests(FileStore& store, Fd file, const struct stat& status,
                                    const FileName& name, DigestKinds kinds) {
  const absl::StatusOr<DigestRead> allowed =
      DigestRead::Begin(store, static_cast<uint64_t>(status.st_size));
  if (!allowed.ok()) return allowed.status();
  const int fd = file.get();
  FileDigest digest(std::make_shared<const Fd>(std::move(file)), kinds);
  digest.SetWritten(static_cast<uint64_t>(status.st_size));
  absl::StatusOr<Digests> digests = digest.Finish();
  if (!digests.ok()) return digests;
  struct stat now;
  if (store.syscalls.FstatAt(fd, "", &now, AT_EMPTY_PATH) != 0) return LookupError(errno, name);
  if (now.st_size != status.st_size ||
      ToFileInfo("", now).modify_time != ToFileInfo("", status).modify_time) {
    return FileShrunk(name);
  }
  if (DigestMemory::IsSettled(now)) store.digests.Remember(now, *digests);
  return digests;
}

// File and folder are brought to disk, whoever put the file there.
bool IsDurable(FileStore& store, const FileName& name) {
  const Fd file = store.root.Open(name, O_RDONLY | O_NONBLOCK);
  const absl::StatusOr<Fd> folder = store.folders.Make(name.Parent());
  return file && folder.ok() && store.syscalls.Fsync(file.get()) == 0 &&
         store.syscalls.Fsync(folder->get()) == 0;
}

}  // namespace

absl::StatusOr<FileInfo> LookUp(FileStore& store, const FileName& name) {
  const Fd entry = store.root.Open(name, O_PATH | O_NOFOLLOW);
  struct stat status;
  if (!entry || store.syscalls.FstatAt(entry.get(), "", &status, AT_EMPTY_PATH) != 0) {
    return LookupError(errno, name);
  }
  if (!IsServed(status)) return FileNotFound(name);
  FileInfo info = ToFileInfo(name.text(), status);
  info.digests = store.digests.Find(status);
  return info;
}

absl::StatusOr<FileInfo> LookUpWithDigests(FileStore& store, const FileName& name,
                                           DigestKinds kinds) {
  absl::StatusOr<FileInfo> info = LookUp(store, name);
  if (!info.ok() || info->type == EntryType::kFolder || KindsOf(info->digests).Include(kinds)) {
    return info;
  }
  Fd file = store.root.Open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  struct stat status;
  if (!file || store.syscalls.FstatAt(file.get(), "", &status, AT_EMPTY_PATH) != 0) {
    return LookupError(errno, name);
  }
  if (!S_ISREG(status.st_mode)) return FileNotFound(name);
  *info = ToFileInfo(name.text(), status);
  absl::StatusOr<Digests> digests = ReadDigests(store, std::move(file), status, name, kinds);
  if (!digests.ok()) return digests.status();
  info->digests = *std::move(digests);
  return info;
}

absl::Status CheckStored(FileStore& store, const FileInfo& stored, const Digests& expected) {
  const DigestKinds kinds = KindsOf(expected);
  if (!kinds.any()) return absl::OkStatus();
  Digests actual = stored.digests;
  if (!KindsOf(actual).Include(kinds)) {
    const absl::StatusOr<FileName> name = FileName::Parse(stored.filename);
    if (!name.ok()) return name.status();
    const absl::StatusOr<FileInfo> now = LookUpWithDigests(store, *name, kinds);
    if (!now.ok()) return now.status();
    actual = now->digests;
  }
  return CompareDigests(expected, actual);
}

std::optional<FileInfo> FindStored(FileStore& store, const UploadSpec& spec) {
  if (spec.expected.sha256.empty() || !spec.size_known) return std::nullopt;
  const absl::StatusOr<FileInfo> there = LookUp(store, spec.name);
  if (!there.ok() || there->type != EntryType::kFile || there->size != spec.size) {
    return std::nullopt;
  }
  absl::StatusOr<FileInfo> info = LookUpWithDigests(store, spec.name, KindsOf(spec.expected));
  if (!info.ok() || !CompareDigests(spec.expected, info->digests).ok()) return std::nullopt;
  if (!IsDurable(store, spec.name)) return std::nullopt;
  return *std::move(info);
}

}  // namespace rawgate::file
