#include "cli/credential_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "cli/console.h"
#include "cli/display_text.h"
#include "cli/local_path.h"
#include "runtime/base/fd.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

// `flags` say what becomes of one that is there.
absl::Status Write(const std::string& path, const CredentialFile& file, int flags) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600));
  if (!fd) return ErrnoError(errno, Quoted(path));
  if (absl::Status written = WriteAll(fd.get(), file.content, Quoted(path)); !written.ok())
    return written;
  if (::fchmod(fd.get(), file.mode) != 0 || ::fsync(fd.get()) != 0)
    return ErrnoError(errno, Quoted(path));
  return absl::OkStatus();
}

absl::Status Exists(const std::string& path) {
  return Error(absl::StatusCode::kAlreadyExists, "CREDENTIALS_EXIST",
               absl::StrCat(Quoted(path), " is there already, and nothing was changed"));
}

}  // namespace

absl::Status MakePrivateFolder(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0700) == 0) return absl::OkStatus();
  if (errno != EEXIST) return ErrnoError(errno, Quoted(folder));
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) return ErrnoError(errno, Quoted(folder));
  if (!S_ISDIR(status.st_mode)) return ErrnoError(ENOTDIR, Quoted(folder));
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) == 0) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, "FOLDER_NOT_PRIVATE",
               absl::StrCat("others may write to ", Quoted(folder),
                            ": take a folder of your own, or chmod go-w this one"));
}

absl::Status WriteNewFiles(const std::string& folder, const std::vector<CredentialFile>& files) {
  for (const CredentialFile& file : files) {
    struct stat status {};
    const std::string path = Joined(folder, file.name);
    if (::lstat(path.c_str(), &status) == 0) return Exists(path);
  }
  for (size_t i = 0; i < files.size(); ++i) {
    const absl::Status written = Write(Joined(folder, files[i].name), files[i], O_EXCL);
    if (written.ok()) continue;
    // One that was there, which somebody else has just made, is not ours to remove.
    const size_t ours = ReasonOf(written) == "EEXIST" ? i : i + 1;
    for (size_t j = 0; j < ours; ++j) ::unlink(Joined(folder, files[j].name).c_str());
    return written;
  }
  return absl::OkStatus();
}

absl::Status ReplaceFile(const std::string& folder, const CredentialFile& file) {
  const std::string path = Joined(folder, file.name);
  const std::string next = Joined(folder, absl::StrCat(".", file.name, ".new"));
  if (absl::Status written = Write(next, file, O_TRUNC); !written.ok()) return written;
  if (::rename(next.c_str(), path.c_str()) == 0) return absl::OkStatus();
  const int error = errno;
  ::unlink(next.c_str());
  return ErrnoError(error, Quoted(path));
}

absl::StatusOr<std::string> ReadSmallFile(const std::string& path, size_t most) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return ErrnoError(errno, Quoted(path));
  return ReadSmallFile(file, path, most);
}

absl::StatusOr<std::string> ReadSmallFile(const Fd& file, const std::string& path, size_t most) {
  std::string text(most + 1, '\0');
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t n = ::read(file.get(), text.data() + size, text.size() - size);
    if (n < 0) return ErrnoError(errno, Quoted(path));
    if (n == 0) break;
    size += static_cast<size_t>(n);
  }
  text.resize(size);
  return text;
}

}  // namespace rawgate::cli
