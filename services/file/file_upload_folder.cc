#include "services/file/file_upload_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/file/file_errors.h"
#include "services/file/file_listing.h"

namespace rawgate::file {
namespace {

constexpr mode_t kFolderMode = 0700;
constexpr mode_t kRecordMode = 0600;
// As the stored file will be: it is the same inode.
constexpr mode_t kFileMode = 0644;
// Times that somebody else's hand removes the folder under a running service; after that its
// uploads fail (FOLDER_REMOVED) until the next start.
constexpr size_t kRemovedMax = 16;
// Ids have no dot.
constexpr absl::string_view kRecordSuffix = ".json";

std::string FolderName() { return absl::StrCat(kReservedPrefix, "uploads"); }

}  // namespace

std::string UploadFolder::RecordName(absl::string_view id) {
  return absl::StrCat(id, kRecordSuffix);
}

int UploadFolder::Open() {
  const absl::MutexLock lock(&mutex_);
  return OpenLocked();
}

int UploadFolder::OpenLocked() {
  if (folder_) return folder_.get();
  const Fd root = root_.OpenFolder(FileName());
  if (root) folder_ = root_.OpenEntry(root.get(), FolderName().c_str(), O_RDONLY | O_DIRECTORY);
  return folder_.get();
}

void UploadFolder::Forget() {
  const absl::MutexLock lock(&mutex_);
  if (removed_.size() >= kRemovedMax) return;
  // Its descriptor stays: whoever has it in hand may go on.
  if (folder_) removed_.push_back(std::move(folder_));
  folder_ = Fd();
  durable_ = false;
}

absl::StatusOr<int> UploadFolder::Make(const FileName& name) {
  const absl::MutexLock lock(&mutex_);
  if (durable_) return folder_.get();
  const Fd root = root_.OpenFolder(FileName());
  if (!root) return StoringError(errno, name);
  if (OpenLocked() < 0) {
    if (errno != ENOENT) return StoringError(errno, name);
    if (syscalls_.MkdirAt(root.get(), FolderName().c_str(), kFolderMode) != 0 && errno != EEXIST) {
      return StoringError(errno, name);
    }
    if (OpenLocked() < 0) return StoringError(errno, name);
  }
  // Also when it was there: whoever made it may have ended before this.
  if (syscalls_.Fsync(root.get()) != 0) return SyncError(errno, name);
  durable_ = true;
  return folder_.get();
}

std::vector<std::string> UploadFolder::Ids() {
  std::set<std::string> ids;
  const int folder = Open();
  if (folder < 0) return {};
  ForEachEntry(root_.OpenEntry(folder, ".", O_RDONLY | O_DIRECTORY),
               [&](const char* name, unsigned char) {
                 const absl::string_view id = absl::StripSuffix(name, kRecordSuffix);
                 if (CheckUploadId(id).ok()) ids.emplace(id);
               });
  return {ids.begin(), ids.end()};
}

void UploadFolder::RemoveUnnamed() {
  const int folder = Open();
  if (folder < 0) return;
  ForEachEntry(root_.OpenEntry(folder, ".", O_RDONLY | O_DIRECTORY),
               [&](const char* name, unsigned char) {
                 if (!absl::StartsWith(name, kReservedPrefix)) return;
                 const Fd file = root_.OpenEntry(folder, name, O_RDWR | O_NONBLOCK);
                 if (!file || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return;
                 syscalls_.UnlinkAt(folder, name, 0);
               });
}

bool UploadFolder::SyncFolder(const FileName& name) const {
  const Fd folder = root_.OpenFolder(name);
  if (!folder) return errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
  return syscalls_.Fsync(folder.get()) == 0;
}

absl::StatusOr<UploadRecord> UploadFolder::ReadRecord(int folder, const std::string& id) const {
  const Fd file = root_.OpenEntry(folder, RecordName(id).c_str(), O_RDONLY | O_NONBLOCK);
  if (!file) {
    return errno == ENOENT ? absl::NotFoundError("no record") : absl::UnavailableError("open");
  }
  std::string text(kRecordBytesMax, '\0');
  const ssize_t n = ::pread(file.get(), text.data(), text.size(), 0);
  if (n < 0) return absl::UnavailableError("pread");
  text.resize(static_cast<size_t>(n));
  absl::StatusOr<UploadRecord> record = DecodeRecord(text);
  if (record.ok() && record->spec.upload_id != id) return absl::InvalidArgumentError("of another");
  return record;
}

absl::StatusOr<TemporaryFile> UploadFolder::Create(const UploadSpec& spec, uint64_t device) {
  absl::StatusOr<int> folder = Make(spec.name);
  if (!folder.ok()) return folder.status();
  const std::string& id = spec.upload_id;
  TemporaryFile file = CreateFile(*folder, id);
  if (!file && errno == ENOENT) {
    // Somebody removed the folder.
    Forget();
    folder = Make(spec.name);
    if (!folder.ok()) return folder.status();
    file = CreateFile(*folder, id);
  }
  // What another process has of this id stays its own.
  if (!file) return errno == EEXIST ? Elsewhere(*folder, id) : StoringError(errno, spec.name);
  struct stat status;
  absl::Status made;
  if (syscalls_.FstatAt(file.fd(), "", &status, AT_EMPTY_PATH) != 0) {
    made = StoringError(errno, spec.name);
  } else if (status.st_dev != device) {
    made = OtherFileSystem(spec.name);
  } else {
    made = WriteRecord(*folder, {.spec = spec, .inode = status.st_ino, .boot_id = boot_id_}, false);
  }
  if (!made.ok()) {
    RemoveHeld(*folder, id, false);
    return made;
  }
  return file;
}

TemporaryFile UploadFolder::CreateFile(int folder, const std::string& id) const {
  Fd at(::fcntl(folder, F_DUPFD_CLOEXEC, 0));
  if (!at) return {};
  // With a hidden name, and so locked before it has the one by which others find it.
  TemporaryFile file = TemporaryFile::Create(std::move(at), LinkMethod::kNone, syscalls_);
  if (!file) return {};
  if (file.Name(folder, id.c_str()) != 0) {
    const int error = errno;
    file = TemporaryFile();
    errno = error;
    return file;
  }
  file.Settle(folder, id);
  return file;
}

absl::Status UploadFolder::Note(const UploadSpec& spec, int file, uint64_t synced) {
  struct stat status;
  if (syscalls_.FstatAt(file, "", &status, AT_EMPTY_PATH) != 0) {
    return StoringError(errno, spec.name);
  }
  return WriteRecord(
      Open(), {.spec = spec, .synced = synced, .inode = status.st_ino, .boot_id = boot_id_}, true);
}

absl::Status UploadFolder::WriteRecord(int folder, const UploadRecord& record, bool durable) const {
  const FileName& name = record.spec.name;
  const std::string final_name = RecordName(record.spec.upload_id);
  const std::string new_name = absl::StrCat(final_name, ".new");
  const std::string text = EncodeRecord(record);
  // The earlier record is what counts until this one is on disk.
  const Fd kept = root_.KeepEntry(folder, final_name.c_str());
  if (!kept && errno != ENOENT) return StoringError(errno, name);
  const Fd file(syscalls_.OpenAt(folder, new_name.c_str(),
                                 O_CREAT | O_TRUNC | O_NOFOLLOW | O_WRONLY | O_CLOEXEC,
                                 kRecordMode));
  if (!file) return StoringError(errno, name);
  for (size_t written = 0; written < text.size();) {
    const ssize_t n = syscalls_.Pwrite(file.get(), text.data() + written, text.size() - written,
                                       static_cast<off_t>(written));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return StoringError(n < 0 ? errno : ENOSPC, name);
    written += static_cast<size_t>(n);
  }
  if (durable && syscalls_.Fdatasync(file.get()) != 0) return SyncError(errno, name);
  if (syscalls_.RenameAt2(folder, new_name.c_str(), folder, final_name.c_str(), 0) != 0) {
    return StoringError(errno, name);
  }
  if (durable && syscalls_.Fsync(folder) != 0) return SyncError(errno, name);
  return absl::OkStatus();
}

void UploadFolder::Remove(const std::string& id, const TemporaryFile& file, bool durably) {
  const int folder = Open();
  if (folder < 0) return;
  // Where storing it took its name from here, another may have begun under its id.
  // A file of ours holds the name meanwhile.
  struct stat named;
  TemporaryFile name_holder;
  if (syscalls_.FstatAt(folder, id.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0) {
    if (!file.Is(named)) return;
  } else if (errno == ENOENT) {
    name_holder = CreateFile(folder, id);
    if (!name_holder && errno == EEXIST) return;
  }
  RemoveHeld(folder, id, durably);
}

void UploadFolder::RemoveHeld(int folder, const std::string& id, bool durably) const {
  // The record first: a file without one is removed at the next start, not gone on with.
  syscalls_.UnlinkAt(folder, RecordName(id).c_str(), 0);
  syscalls_.UnlinkAt(folder, absl::StrCat(RecordName(id), ".new").c_str(), 0);
  if (durably) syscalls_.Fsync(folder);
  syscalls_.UnlinkAt(folder, id.c_str(), 0);
}

}  // namespace rawgate::file
