#include "services/file/file_temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace rawgate::file {
namespace {

constexpr mode_t kFileMode = 0644;
// 64 random bits: a collision is EEXIST, and never the end of another's file.
constexpr int kNameAttempts = 4;

std::string HiddenName() {
  uint64_t bits = 0;
  // Does not fail for so few bytes once the system has booted.
  if (::getrandom(&bits, sizeof(bits), 0) != sizeof(bits)) bits = static_cast<uint64_t>(::getpid());
  return absl::StrCat(kReservedPrefix, absl::Hex(bits, absl::kZeroPad16));
}

bool IsUnsupported(int errno_value) {
  return errno_value == EOPNOTSUPP || errno_value == EINVAL || errno_value == ENOSYS;
}

int LinkBy(LinkMethod method, int fd, int folder, const char* entry, Syscalls& syscalls) {
  if (method == LinkMethod::kDescriptor) {
    return syscalls.LinkAt(fd, "", folder, entry, AT_EMPTY_PATH);
  }
  return syscalls.LinkAt(AT_FDCWD, absl::StrCat("/proc/self/fd/", fd).c_str(), folder, entry,
                         AT_SYMLINK_FOLLOW);
}

int OpenUnnamed(int folder, Syscalls& syscalls) {
  return syscalls.OpenAt(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, kFileMode);
}

}  // namespace

LinkMethod ProbeLinkMethod(int folder, Syscalls& syscalls) {
  const Fd file(OpenUnnamed(folder, syscalls));
  if (!file) {
    return IsUnsupported(errno) || errno == EISDIR ? LinkMethod::kNone : LinkMethod::kProc;
  }
  for (LinkMethod method : {LinkMethod::kDescriptor, LinkMethod::kProc}) {
    const std::string name = HiddenName();
    if (LinkBy(method, file.get(), folder, name.c_str(), syscalls) != 0) continue;
    syscalls.UnlinkAt(folder, name.c_str(), 0);
    return method;
  }
  return LinkMethod::kNone;
}

TemporaryFile TemporaryFile::Create(Fd folder, LinkMethod method, Syscalls& syscalls) {
  TemporaryFile result;
  result.syscalls_ = &syscalls;
  result.method_ = method;
  if (method != LinkMethod::kNone) {
    Fd file(OpenUnnamed(folder.get(), syscalls));
    if (file) {
      result.file_ = std::make_shared<const Fd>(std::move(file));
      return result;
    }
    // EISDIR: what kernels and file systems that do not know the flag make of it.
    if (!IsUnsupported(errno) && errno != EISDIR) return result;
  }
  for (int i = 0; i < kNameAttempts; ++i) {
    std::string name = HiddenName();
    Fd file(syscalls.OpenAt(folder.get(), name.c_str(),
                            O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR | O_CLOEXEC, kFileMode));
    if (!file && errno == EEXIST) continue;
    if (!file) return result;
    ::flock(file.get(), LOCK_EX | LOCK_NB);
    result.file_ = std::make_shared<const Fd>(std::move(file));
    result.hidden_folder_ = std::move(folder);
    result.hidden_name_ = std::move(name);
    break;
  }
  return result;
}

TemporaryFile TemporaryFile::Adopt(Fd file, int folder, std::string entry, Syscalls& syscalls) {
  TemporaryFile result;
  result.syscalls_ = &syscalls;
  result.file_ = std::make_shared<const Fd>(std::move(file));
  result.own_folder_ = folder;
  result.own_name_ = std::move(entry);
  return result;
}

TemporaryFile::TemporaryFile(TemporaryFile&& other) noexcept { *this = std::move(other); }

TemporaryFile& TemporaryFile::operator=(TemporaryFile&& other) noexcept {
  std::swap(syscalls_, other.syscalls_);
  std::swap(method_, other.method_);
  std::swap(file_, other.file_);
  std::swap(own_folder_, other.own_folder_);
  std::swap(own_name_, other.own_name_);
  std::swap(hidden_folder_, other.hidden_folder_);
  std::swap(hidden_name_, other.hidden_name_);
  std::swap(older_, other.older_);
  std::swap(swapped_, other.swapped_);
  return *this;
}

TemporaryFile::~TemporaryFile() {
  if (!hidden_name_.empty()) syscalls_->UnlinkAt(hidden_folder_.get(), hidden_name_.c_str(), 0);
}

bool TemporaryFile::Is(const struct stat& status) const {
  for (const Fd* file : {file_.get(), &older_}) {
    struct stat own;
    if (!*file || syscalls_->FstatAt(file->get(), "", &own, AT_EMPTY_PATH) != 0) continue;
    if (own.st_dev == status.st_dev && own.st_ino == status.st_ino) return true;
  }
  return false;
}

int TemporaryFile::LinkUnnamed(int folder, const char* entry) {
  if (own_name_.empty()) return LinkBy(method_, fd(), folder, entry, *syscalls_);
  const int result = syscalls_->LinkAt(own_folder_, own_name_.c_str(), folder, entry, 0);
  if (result == 0 || (errno != EPERM && errno != EOPNOTSUPP)) return result;
  const int renamed = Rename(folder, entry, RENAME_NOREPLACE);
  if (renamed == 0) own_name_.clear();
  return renamed;
}

int TemporaryFile::Name(int folder, const char* entry) {
  if (hidden_name_.empty()) return LinkUnnamed(folder, entry);
  int result = Rename(folder, entry, RENAME_NOREPLACE);
  if (result != 0 && IsUnsupported(errno)) {
    result = syscalls_->LinkAt(hidden_folder_.get(), hidden_name_.c_str(), folder, entry, 0);
    if (result == 0) syscalls_->UnlinkAt(hidden_folder_.get(), hidden_name_.c_str(), 0);
  }
  if (result == 0) hidden_name_.clear();
  return result;
}

void TemporaryFile::Unname(int folder, const char* entry) { syscalls_->UnlinkAt(folder, entry, 0); }

void TemporaryFile::Settle(int folder, std::string entry) {
  own_folder_ = folder;
  own_name_ = std::move(entry);
  hidden_folder_ = Fd();
}

int TemporaryFile::Hide(int folder) {
  Fd kept(::fcntl(folder, F_DUPFD_CLOEXEC, 0));
  if (!kept) return -1;
  ::flock(fd(), LOCK_EX | LOCK_NB);
  for (int i = 0; i < kNameAttempts; ++i) {
    std::string name = HiddenName();
    if (LinkUnnamed(folder, name.c_str()) == 0) {
      hidden_folder_ = std::move(kept);
      hidden_name_ = std::move(name);
      return 0;
    }
    if (errno != EEXIST) break;
  }
  return -1;
}

int TemporaryFile::Rename(int folder, const char* entry, unsigned flags) {
  const int from = is_adopted() ? own_folder_ : hidden_folder_.get();
  const std::string& name = is_adopted() ? own_name_ : hidden_name_;
  return syscalls_->RenameAt2(from, name.c_str(), folder, entry, flags);
}

int TemporaryFile::Replace(int folder, const char* entry) {
  // Not one that was adopted: with a second name it would count as stored, though it is not yet,
  // for whoever finds it after the end of this process, or of the power.
  const bool hide = !is_adopted() && hidden_name_.empty();
  if (hide && Hide(folder) != 0) return -1;
  // Locked, lest another process takes it for what a dead one left: it may have to come back.
  older_ = Fd(syscalls_->OpenAt(folder, entry, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0));
  if (older_) ::flock(older_.get(), LOCK_EX | LOCK_NB);
  int result = Rename(folder, entry, RENAME_EXCHANGE);
  if (result == 0) {
    swapped_ = true;
    return 0;
  }
  if (IsUnsupported(errno)) result = Rename(folder, entry, 0);
  const int error = errno;
  if (result != 0 && hide) syscalls_->UnlinkAt(folder, hidden_name_.c_str(), 0);
  if (result == 0 || hide) (is_adopted() ? own_name_ : hidden_name_).clear();
  errno = error;
  return result;
}

void TemporaryFile::Unreplace(int folder, const char* entry) {
  if (swapped_ && Rename(folder, entry, RENAME_EXCHANGE) == 0) swapped_ = false;
}

}  // namespace rawgate::file
