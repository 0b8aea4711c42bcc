#include "services/file/file_sweep.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "services/file/file_listing.h"

namespace rawgate::file {
namespace {

// Called with an open folder and the name of an entry that is no folder.
using Visit = std::function<void(int folder, const char* name)>;

void Walk(const FileRoot& root, Fd folder, size_t depth, const std::stop_token& stop,
          const Visit& visit) {
  const int at = folder.get();
  std::vector<std::string> folders;
  // A second descriptor, since reading the folder uses one up.
  Fd reading = root.OpenEntry(at, ".", O_RDONLY | O_DIRECTORY);
  if (!reading) return;
  ForEachEntry(std::move(reading), [&](const char* name, unsigned char type) {
    const bool reserved = absl::StartsWith(name, kReservedPrefix);
    if ((type == DT_DIR || type == DT_UNKNOWN) && !reserved) folders.emplace_back(name);
    if (type != DT_DIR) visit(at, name);
  });
  // Nothing that a client made is deeper.
  if (depth == kComponentsMax) return;
  for (const std::string& name : folders) {
    if (stop.stop_requested()) break;
    Fd below = root.OpenEntry(at, name.c_str(), O_RDONLY | O_DIRECTORY);
    if (below) Walk(root, std::move(below), depth + 1, stop, visit);
  }
}

void WalkAll(const FileRoot& root, const std::stop_token& stop, const Visit& visit) {
  Fd folder = root.OpenFolder(FileName());
  if (folder) Walk(root, std::move(folder), 0, stop, visit);
}

}  // namespace

size_t RemoveLeftovers(const FileRoot& root, std::stop_token stop, Syscalls& syscalls) {
  size_t removed = 0;
  WalkAll(root, stop, [&](int folder, const char* name) {
    if (!absl::StartsWith(name, kReservedPrefix)) return;
    const Fd file = root.OpenEntry(folder, name, O_RDONLY | O_NONBLOCK);
    // Whoever is still writing it holds the lock.
    if (!file || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return;
    if (syscalls.UnlinkAt(folder, name, 0) == 0) ++removed;
  });
  return removed;
}

uint64_t SizeOfAllFiles(const FileRoot& root, Syscalls& syscalls) {
  uint64_t bytes = 0;
  WalkAll(root, {}, [&](int folder, const char* name) {
    struct stat status;
    if (absl::StartsWith(name, kReservedPrefix)) return;
    if (syscalls.FstatAt(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return;
    if (S_ISREG(status.st_mode)) bytes += static_cast<uint64_t>(status.st_size);
  });
  return bytes;
}

}  // namespace rawgate::file
