#include "services/file/file_publish.h"

#include <errno.h>
#include <fcntl.h>

#include "services/file/file_errors.h"

namespace rawgate::file {
namespace {

// A name that is there and then is not, between two calls, comes from outside this process: nobody
// does it often.
constexpr int kAttempts = 8;

// OK when `entry` may be replaced, or has gone.
absl::Status CheckReplaceable(int folder, const FileName& name, Syscalls& syscalls) {
  struct stat existing;
  if (syscalls.FstatAt(folder, name.leaf(), &existing, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? absl::OkStatus() : StoringError(errno, name);
  }
  return S_ISREG(existing.st_mode) ? absl::OkStatus() : NotAFile(name);
}

}  // namespace

NameLocks::Guard::Guard(NameLocks& locks, const FileName& name)
    : locks_(locks), name_(name.text()) {
  const auto is_free = [this]()
                           ABSL_NO_THREAD_SAFETY_ANALYSIS { return !locks_.held_.contains(name_); };
  const absl::MutexLock lock(&locks_.mutex_, absl::Condition(&is_free));
  locks_.held_.insert(name_);
}

NameLocks::Guard::~Guard() {
  const absl::MutexLock lock(&locks_.mutex_);
  locks_.held_.erase(name_);
}

absl::Status Publish(TemporaryFile& file, int folder, const FileName& name, bool if_absent,
                     Syscalls& syscalls) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    bool replaced = false;
    if (file.Name(folder, name.leaf()) != 0) {
      if (errno != EEXIST) return StoringError(errno, name);
      if (if_absent) return FileExists(name);
      if (absl::Status status = CheckReplaceable(folder, name, syscalls); !status.ok()) {
        return status;
      }
      if (file.Replace(folder, name.leaf()) != 0) {
        if (errno == ENOENT) continue;
        return StoringError(errno, name);
      }
      replaced = true;
    }
    if (syscalls.Fsync(folder) == 0) return absl::OkStatus();
    const absl::Status failed = SyncError(errno, name);
    replaced ? file.Unreplace(folder, name.leaf()) : file.Unname(folder, name.leaf());
    return failed;
  }
  return StoringError(ENOENT, name);
}

}  // namespace rawgate::file
