#include "cli/local_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/console.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

// What `path` links to, so that a link stays a link; `path` itself when there is nothing yet.
std::string Resolve(const std::string& path) {
  char* resolved = ::realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return path;
  std::string result(resolved);
  std::free(resolved);
  return result;
}

mode_t Umask() {
  // There is no way to ask without setting it.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return mask;
}

}  // namespace

SourceFile::SourceFile(Fd fd, std::string path, const struct stat& opened)
    : fd_(std::move(fd)), path_(std::move(path)), opened_(opened) {}

absl::StatusOr<SourceFile> SourceFile::Open(const std::string& path) {
  // O_NONBLOCK: a pipe without a writer is refused below rather than waited for.
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return ErrnoError(errno, path);
  struct stat opened {};
  if (::fstat(fd.get(), &opened) != 0) return ErrnoError(errno, path);
  if (!S_ISREG(opened.st_mode)) {
    return Error(absl::StatusCode::kFailedPrecondition, "NOT_A_FILE",
                 absl::StrCat(path, ": not a regular file"));
  }
  return SourceFile(std::move(fd), path, opened);
}

absl::Status SourceFile::Read(std::string& buffer, size_t most) {
  buffer.resize(most);
  size_t filled = 0;
  while (filled < most) {
    const ssize_t count = ::read(fd_.get(), buffer.data() + filled, most - filled);
    if (count == 0) break;
    if (count > 0) {
      filled += static_cast<size_t>(count);
    } else if (errno != EINTR) {
      return ErrnoError(errno, absl::StrCat("reading ", path_));
    }
  }
  buffer.resize(filled);
  return absl::OkStatus();
}

absl::Status SourceFile::CheckUnchanged() const {
  struct stat now {};
  if (::fstat(fd_.get(), &now) != 0) return ErrnoError(errno, path_);
  if (now.st_size == opened_.st_size && now.st_mtim.tv_sec == opened_.st_mtim.tv_sec &&
      now.st_mtim.tv_nsec == opened_.st_mtim.tv_nsec) {
    return absl::OkStatus();
  }
  return Error(absl::StatusCode::kAborted, "FILE_CHANGED",
               absl::StrCat(path_, " changed while it was being sent; nothing was stored"));
}

TargetFile::TargetFile(Fd fd, std::string path, std::string temporary, mode_t mode)
    : fd_(std::move(fd)), path_(std::move(path)), temporary_(std::move(temporary)), mode_(mode) {}

TargetFile::TargetFile(TargetFile&& other) noexcept
    : fd_(std::move(other.fd_)),
      path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      mode_(other.mode_) {}

TargetFile::~TargetFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

absl::StatusOr<TargetFile> TargetFile::Create(const std::string& path) {
  const std::string target = Resolve(path);
  mode_t mode = 0666 & ~Umask();
  struct stat there {};
  if (::stat(target.c_str(), &there) == 0) {
    if (S_ISDIR(there.st_mode)) {
      return Error(absl::StatusCode::kFailedPrecondition, "IS_A_FOLDER",
                   absl::StrCat(path, ": is a folder"));
    }
    if (!S_ISREG(there.st_mode)) {
      Fd fd(::open(target.c_str(), O_WRONLY | O_CLOEXEC));
      if (!fd) return ErrnoError(errno, path);
      return TargetFile(std::move(fd), path, "", mode);
    }
    mode = there.st_mode & 0777;
  }
  // Hidden, and in the same folder: rename(2) does not cross file systems. The name of the target
  // is no part of it, for with it the name could become too long.
  const size_t slash = target.rfind('/');
  std::string temporary =
      absl::StrCat(target.substr(0, slash == target.npos ? 0 : slash + 1), ".rawgate-get-XXXXXX");
  Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return ErrnoError(errno, path);
  return TargetFile(std::move(fd), target, std::move(temporary), mode);
}

absl::Status TargetFile::Write(absl::string_view bytes) {
  return WriteAll(fd_.get(), bytes, path_);
}

absl::Status TargetFile::Commit() {
  if (temporary_.empty()) return absl::OkStatus();
  if (::fchmod(fd_.get(), mode_) != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0) {
    return ErrnoError(errno, path_);
  }
  temporary_.clear();
  return absl::OkStatus();
}

std::string LastComponent(const std::string& name) {
  const size_t slash = name.rfind('/');
  return slash == name.npos ? name : name.substr(slash + 1);
}

bool IsFolder(const std::string& path) {
  struct stat there {};
  return ::stat(path.c_str(), &there) == 0 && S_ISDIR(there.st_mode);
}

}  // namespace rawgate::cli
