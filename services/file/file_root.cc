#include "services/file/file_root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>

#include <utility>
#include <vector>

#include "runtime/base/status.h"

namespace rawgate::file {
namespace {

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY;
constexpr uint64_t kResolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
constexpr mode_t kRootMode = 0700;

// Makes `path` and the missing folders above it, each durable in its parent.
absl::Status MakeRoot(const std::string& path, Syscalls& syscalls) {
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string folder = path.substr(0, end);
    if (syscalls.MkdirAt(AT_FDCWD, folder.c_str(), kRootMode) == 0) {
      const Fd parent(
          syscalls.OpenAt(AT_FDCWD, (folder + "/..").c_str(), kFolderFlags | O_CLOEXEC, 0));
      if (!parent || syscalls.Fsync(parent.get()) != 0)
        return ErrnoError(errno, "making " + folder);
    } else if (errno != EEXIST) {
      return ErrnoError(errno, "making " + folder);
    }
    if (end == std::string::npos) return absl::OkStatus();
  }
}

}  // namespace

absl::StatusOr<FileRoot> FileRoot::Open(const std::string& path, Syscalls& syscalls) {
  Fd root(syscalls.OpenAt(AT_FDCWD, path.c_str(), kFolderFlags | O_CLOEXEC, 0));
  if (!root && errno == ENOENT) {
    if (absl::Status made = MakeRoot(path, syscalls); !made.ok()) return made;
    root.Reset(syscalls.OpenAt(AT_FDCWD, path.c_str(), kFolderFlags | O_CLOEXEC, 0));
  }
  if (!root) return ErrnoError(errno, "opening " + path);
  const Fd probe(syscalls.OpenAt2(root.get(), ".", O_PATH | O_CLOEXEC, kResolve));
  const bool has_openat2 = probe || (errno != ENOSYS && errno != EPERM);
  return FileRoot(std::move(root), syscalls, has_openat2);
}

Fd FileRoot::Open(const FileName& name, int flags) const {
  if (!has_openat2_) return OpenByComponents(name, flags);
  const char* path = name.is_root() ? "." : name.text().c_str();
  return Fd(syscalls_->OpenAt2(root_.get(), path, flags | O_CLOEXEC, kResolve));
}

Fd FileRoot::OpenByComponents(const FileName& name, int flags) const {
  if (name.is_root()) return OpenEntry(root_.get(), ".", flags);
  const std::vector<absl::string_view> components = name.Components();
  Fd folder;
  for (size_t i = 0; i < components.size(); ++i) {
    const int at = i == 0 ? root_.get() : folder.get();
    const bool last = i + 1 == components.size();
    Fd entry =
        OpenEntry(at, std::string(components[i]).c_str(), last ? flags : O_PATH | O_DIRECTORY);
    if (!entry) return entry;
    folder = std::move(entry);
  }
  return folder;
}

Fd FileRoot::OpenFolder(const FileName& folder) const { return Open(folder, kFolderFlags); }

Fd FileRoot::OpenEntry(int folder, const char* entry, int flags) const {
  return Fd(syscalls_->OpenAt(folder, entry, flags | O_NOFOLLOW | O_CLOEXEC, 0));
}

Fd FileRoot::KeepEntry(int folder, const char* entry) const {
  return OpenEntry(folder, entry, O_PATH);
}

}  // namespace rawgate::file
