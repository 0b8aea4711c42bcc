#include "cli/source_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::cli {

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
    const ssize_t count = ::pread(fd_.get(), buffer.data() + filled, most - filled,
                                  static_cast<off_t>(position_ + filled));
    if (count == 0) break;
    if (count > 0) {
      filled += static_cast<size_t>(count);
    } else if (errno != EINTR) {
      return ErrnoError(errno, absl::StrCat("reading ", path_));
    }
  }
  buffer.resize(filled);
  position_ += filled;
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

}  // namespace rawgate::cli
