#include "services/exec/exec_own_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"

namespace rawgate::exec {
namespace {

constexpr char kPrefix[] = "rawgate-exec-own-";

// flock(2) on it fails while the service that made it lives.
Fd Lock(const std::string& folder) {
  Fd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!fd || fstat(fd.get(), &status) < 0 || status.st_uid != geteuid() ||
      flock(fd.get(), LOCK_EX | LOCK_NB) < 0)
    return Fd();
  return fd;
}

}  // namespace

OwnFolders::OwnFolders(std::string parent) : parent_(std::move(parent)) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(parent_, error), end; !error && entry != end;
       entry.increment(error)) {
    if (!absl::StartsWith(entry->path().filename().string(), kPrefix)) continue;
    if (Lock(entry->path().string())) Remove(entry->path().string());
  }
}

OwnFolders::~OwnFolders() {
  if (!folder_.empty()) Remove(folder_);
}

int OwnFolders::Open() {
  std::string folder = absl::StrCat(parent_, "/", kPrefix, "XXXXXX");
  if (mkdtemp(folder.data()) == nullptr) return errno;
  folder_ = folder;
  lock_ = Lock(folder_);
  // Commands pass through it, each to its own.
  if (lock_ && fchmod(lock_.get(), S_IRWXU | S_IXGRP | S_IXOTH) == 0) return 0;
  const int error = errno;
  Remove(std::exchange(folder_, ""));
  return error;
}

std::string OwnFolders::Make(const Identity& identity) {
  if (folder_.empty()) {
    if (const int error = Open(); error != 0) {
      errno = error;
      return "";
    }
  }
  std::string folder = absl::StrCat(folder_, "/", ++last_);
  if (mkdir(folder.c_str(), S_IRWXU) < 0) return "";
  if (identity.change && chown(folder.c_str(), identity.user, identity.group) < 0) {
    const int error = errno;
    rmdir(folder.c_str());
    errno = error;
    return "";
  }
  return folder;
}

void OwnFolders::Remove(const std::string& folder) {
  std::error_code error;
  std::filesystem::remove_all(folder, error);
  if (error) spdlog::error("{} cannot be removed: {}", folder, error.message());
}

}  // namespace rawgate::exec
