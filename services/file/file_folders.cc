#include "services/file/file_folders.h"

#include <errno.h>
#include <fcntl.h>

#include <utility>

#include "services/file/file_errors.h"

namespace rawgate::file {
namespace {

constexpr mode_t kFolderMode = 0755;

}  // namespace

absl::StatusOr<Fd> FileFolders::Make(const FileName& folder) {
  const uint64_t removals_before = removals();
  Fd opened = root_.OpenFolder(folder);
  if (opened && IsDurable(folder)) return opened;

  Fd at = root_.OpenFolder(FileName());
  if (!at) return StoringError(errno, folder);
  FileName name;
  for (absl::string_view component : folder.Components()) {
    name = name.Child(component);
    Fd child = root_.OpenEntry(at.get(), name.leaf(), O_RDONLY | O_DIRECTORY);
    if (!child && errno == ENOENT) {
      if (syscalls_.MkdirAt(at.get(), name.leaf(), kFolderMode) != 0 && errno != EEXIST) {
        return StoringError(errno, folder);
      }
      child = root_.OpenEntry(at.get(), name.leaf(), O_RDONLY | O_DIRECTORY);
    }
    if (!child) return StoringError(errno, folder);
    if (!IsDurable(name)) {
      if (syscalls_.Fsync(at.get()) != 0) return SyncError(errno, name);
      SetDurable(name, removals_before);
    }
    at = std::move(child);
  }
  return at;
}

int FileFolders::Remove(int parent, const FileName& folder) {
  // The lock is held over the system call, so that nobody finds the name marked durable after it
  // was made anew.
  const absl::MutexLock lock(&mutex_);
  if (syscalls_.UnlinkAt(parent, folder.leaf(), AT_REMOVEDIR) != 0) return -1;
  durable_.clear();
  ++removals_;
  return 0;
}

int FileFolders::Rename(int from_parent, const FileName& from, int to_parent, const FileName& to,
                        unsigned flags) {
  // Held over the system call for the same reason.
  const absl::MutexLock lock(&mutex_);
  if (syscalls_.RenameAt2(from_parent, from.leaf(), to_parent, to.leaf(), flags) != 0) return -1;
  durable_.clear();
  ++removals_;
  return 0;
}

bool FileFolders::IsDurable(const FileName& folder) {
  if (folder.is_root()) return true;
  const absl::MutexLock lock(&mutex_);
  return durable_.contains(folder.text());
}

void FileFolders::SetDurable(const FileName& folder, uint64_t removals) {
  const absl::MutexLock lock(&mutex_);
  if (removals != removals_) return;
  if (durable_.size() >= kRememberedMax) durable_.clear();
  durable_.insert(folder.text());
}

uint64_t FileFolders::removals() {
  const absl::MutexLock lock(&mutex_);
  return removals_;
}

}  // namespace rawgate::file
