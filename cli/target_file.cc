#include "cli/target_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/console.h"
#include "cli/display_text.h"
#include "cli/local_path.h"
#include "cli/sha256.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

// Hidden. The name of the target is no part of it, for with it the name could become too long.
constexpr absl::string_view kPrefix = ".rawgate-get-";
constexpr absl::string_view kPartSuffix = ".part";
constexpr size_t kDigits = 16;

// What `path` links to, so that a link stays a link; `path` itself when there is nothing yet.
std::string Resolve(const std::string& path) {
  char* resolved = ::realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return path;
  std::string result(resolved);
  std::free(resolved);
  return result;
}

mode_t ReadUmask() {
  // There is no way to ask without setting it.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return mask;
}

mode_t DefaultMode() {
  // Once: another thread must not see the moment without one.
  static const mode_t kMode = 0666 & ~ReadUmask();
  return kMode;
}

struct Place {
  std::string target;
  mode_t mode;
  // It is there, and neither file nor folder.
  bool direct = false;
};

absl::StatusOr<Place> Locate(const std::string& path) {
  Place place{Resolve(path), DefaultMode()};
  struct stat there {};
  if (::stat(place.target.c_str(), &there) != 0) return place;
  if (S_ISDIR(there.st_mode)) {
    return Error(absl::StatusCode::kFailedPrecondition, "IS_A_FOLDER",
                 absl::StrCat(path, ": is a folder"));
  }
  place.direct = !S_ISREG(there.st_mode);
  if (!place.direct) place.mode = there.st_mode & 0777;
  return place;
}

// Removes what was kept of other versions: what begins as `own` does up to the version. True when
// there was any.
bool RemoveOutdated(const std::string& folder, absl::string_view own, size_t until_version) {
  const auto close = [](DIR* directory) { ::closedir(directory); };
  const std::unique_ptr<DIR, decltype(close)> directory(
      ::opendir(folder.empty() ? "." : folder.c_str()), close);
  if (directory == nullptr) return false;
  bool removed = false;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread has this directory
  while (const dirent* entry = ::readdir(directory.get())) {
    const absl::string_view name = entry->d_name;
    if (name != own && absl::StartsWith(name, own.substr(0, until_version)) &&
        absl::EndsWith(name, kPartSuffix)) {
      removed = ::unlinkat(::dirfd(directory.get()), entry->d_name, 0) == 0 || removed;
    }
  }
  return removed;
}

// Anybody can know the name of what is kept, and in a folder of many could have put something
// there: a pipe, a file of theirs that they go on writing to, or a second name of one of ours.
bool IsOursAlone(const struct stat& file) {
  return S_ISREG(file.st_mode) && file.st_uid == ::geteuid() && file.st_nlink == 1;
}

// Nothing when somebody renamed or removed the file between open(2) and flock(2).
absl::StatusOr<std::optional<Fd>> OpenLocked(const std::string& temporary) {
  Fd fd(::open(temporary.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  if (!fd) return ErrnoError(errno, temporary);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return ErrnoError(errno, temporary);
    return Error(absl::StatusCode::kAborted, "ALREADY_FETCHING",
                 "another 'rawgate get' is fetching the same file to the same place");
  }
  struct stat opened {};
  struct stat named {};
  if (::fstat(fd.get(), &opened) != 0) return ErrnoError(errno, temporary);
  if (::stat(temporary.c_str(), &named) != 0 || named.st_ino != opened.st_ino ||
      named.st_dev != opened.st_dev) {
    return std::nullopt;
  }
  if (IsOursAlone(opened)) return fd;
  return Error(
      absl::StatusCode::kFailedPrecondition, "PART_FILE_NOT_OURS",
      absl::StrCat(Quoted(temporary), " is in the way: it is no file that is yours alone; ",
                   "remove it, or fetch into a folder of your own"));
}

}  // namespace

TargetFile::TargetFile(Fd fd, std::string path, std::string temporary, mode_t mode)
    : fd_(std::move(fd)), path_(std::move(path)), temporary_(std::move(temporary)), mode_(mode) {}

TargetFile::TargetFile(TargetFile&& other) noexcept
    : fd_(std::move(other.fd_)),
      path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      mode_(other.mode_),
      size_(other.size_),
      kept_(other.kept_),
      outdated_(other.outdated_) {}

TargetFile::~TargetFile() {
  if (!temporary_.empty() && (!kept_ || size_ == 0)) ::unlink(temporary_.c_str());
}

absl::StatusOr<TargetFile> TargetFile::Create(const std::string& path) {
  const absl::StatusOr<Place> place = Locate(path);
  if (!place.ok()) return place.status();
  if (place->direct) {
    Fd fd(::open(place->target.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd) return ErrnoError(errno, path);
    return TargetFile(std::move(fd), path, "", place->mode);
  }
  // In the same folder: rename(2) does not cross file systems.
  std::string temporary = absl::StrCat(FolderPart(place->target), kPrefix, "XXXXXX");
  Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return ErrnoError(errno, path);
  return TargetFile(std::move(fd), place->target, std::move(temporary), place->mode);
}

absl::StatusOr<TargetFile> TargetFile::CreateOrResume(const std::string& path,
                                                      absl::string_view origin,
                                                      absl::string_view version) {
  const absl::StatusOr<Place> place = Locate(path);
  if (!place.ok()) return place.status();
  if (place->direct) return Create(path);
  const std::string subject = Fingerprint(kDigits, {origin, LastComponent(place->target)});
  const std::string name =
      absl::StrCat(kPrefix, subject, "-", Fingerprint(kDigits, {version}), kPartSuffix);
  const std::string folder = FolderPart(place->target);
  while (true) {
    absl::StatusOr<std::optional<Fd>> fd = OpenLocked(folder + name);
    if (!fd.ok()) return fd.status();
    if (!fd->has_value()) continue;
    TargetFile target(*std::move(*fd), place->target, folder + name, place->mode);
    target.kept_ = true;
    target.outdated_ = RemoveOutdated(folder, name, kPrefix.size() + subject.size() + 1);
    const off_t end = ::lseek(target.fd_.get(), 0, SEEK_END);
    if (end < 0) return ErrnoError(errno, path);
    target.size_ = static_cast<uint64_t>(end);
    return target;
  }
}

absl::Status TargetFile::Write(absl::string_view bytes) {
  absl::Status written = WriteAll(fd_.get(), bytes, path_);
  if (written.ok()) size_ += bytes.size();
  return written;
}

absl::Status TargetFile::ReadBack(const std::function<bool(absl::string_view)>& take) const {
  std::string buffer(size_t{256} * 1024, '\0');
  for (uint64_t offset = 0; offset < size_;) {
    const ssize_t count =
        ::pread(fd_.get(), buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoError(errno, absl::StrCat("reading ", temporary_));
    if (count == 0 || !take({buffer.data(), static_cast<size_t>(count)})) break;
    offset += static_cast<uint64_t>(count);
  }
  return absl::OkStatus();
}

absl::Status TargetFile::Restart() {
  if (temporary_.empty()) {
    return Error(absl::StatusCode::kAborted, "CANNOT_RESTART",
                 absl::StrCat(path_, ": the bytes that came are gone"));
  }
  if (::ftruncate(fd_.get(), 0) != 0 || ::lseek(fd_.get(), 0, SEEK_SET) != 0) {
    return ErrnoError(errno, path_);
  }
  size_ = 0;
  return absl::OkStatus();
}

absl::Status TargetFile::Commit() {
  if (temporary_.empty()) return absl::OkStatus();
  if (::fchmod(fd_.get(), mode_) != 0 || ::fsync(fd_.get()) != 0 ||
      ::rename(temporary_.c_str(), path_.c_str()) != 0) {
    return ErrnoError(errno, path_);
  }
  temporary_.clear();
  return absl::OkStatus();
}

bool IsTemporaryName(absl::string_view last_component) {
  return absl::StartsWith(last_component, kPrefix);
}

}  // namespace rawgate::cli
