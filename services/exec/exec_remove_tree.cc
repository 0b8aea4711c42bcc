#include "services/exec/exec_remove_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "runtime/base/fd.h"

namespace rawgate::exec {
namespace {

constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
// Names that are read before they are worked on.
constexpr size_t kNamesMax = 1024;

// Also where its modes forbid that.
Fd OpenFolder(int parent, const char* name) {
  Fd folder(openat(parent, name, kFolder));
  if (folder || errno != EACCES || fchmodat(parent, name, S_IRWXU, 0) < 0) return folder;
  return Fd(openat(parent, name, kFolder));
}

// Some of those that are in it; none: it is empty. False with errno set.
bool ReadNames(int folder, std::vector<std::string>* names) {
  names->clear();
  Fd copy(openat(folder, ".", kFolder));
  DIR* const opened = copy ? fdopendir(copy.get()) : nullptr;
  if (opened == nullptr) return false;
  static_cast<void>(copy.Release());
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(opened, closedir);
  while (names->size() < kNamesMax) {
    errno = 0;
    const dirent* const entry = readdir(stream.get());
    if (entry == nullptr) return errno == 0;
    const absl::string_view name = entry->d_name;
    if (name != "." && name != "..") names->emplace_back(name);
  }
  return true;
}

// One that is not a folder, or an empty one.
bool RemoveOne(int folder, const std::string& name) {
  if (unlinkat(folder, name.c_str(), 0) == 0) return true;
  return (errno == EISDIR || errno == EPERM) && unlinkat(folder, name.c_str(), AT_REMOVEDIR) == 0;
}

// The tree is made flat: what is in a folder below the top is moved up before the folder goes, so
// that no more than two are open at any depth.
class Flattener {
 public:
  Flattener(int top, const std::function<bool()>& give_up) : top_(top), give_up_(give_up) {}

  // The value is an errno.
  int Run() {
    std::vector<std::string> names;
    while (ReadNames(top_, &names) && !names.empty()) {
      for (const std::string& name : names) {
        if (give_up_()) return ECANCELED;
        if (!RemoveOne(top_, name) && !Empty(name)) return errno;
      }
    }
    return names.empty() ? 0 : errno;
  }

 private:
  // False with errno set.
  bool Empty(const std::string& name) {
    const Fd folder = OpenFolder(top_, name.c_str());
    if (!folder || fchmod(folder.get(), S_IRWXU) < 0) return false;
    std::vector<std::string> names;
    while (ReadNames(folder.get(), &names) && !names.empty()) {
      for (const std::string& inner : names) {
        if (give_up_()) {
          errno = ECANCELED;
          return false;
        }
        if (!RemoveOne(folder.get(), inner) && !MoveUp(folder.get(), inner)) return false;
      }
    }
    return names.empty() && unlinkat(top_, name.c_str(), AT_REMOVEDIR) == 0;
  }
  // Moving a folder changes its "..", and so takes the right to write to it.
  bool MoveUp(int folder, const std::string& name) {
    fchmodat(folder, name.c_str(), S_IRWXU, 0);
    std::string free;
    struct stat ignored {};
    do {
      free = absl::StrCat("moved-", ++moved_);
    } while (fstatat(top_, free.c_str(), &ignored, AT_SYMLINK_NOFOLLOW) == 0);
    return renameat(folder, name.c_str(), top_, free.c_str()) == 0;
  }

  const int top_;
  const std::function<bool()>& give_up_;
  uint64_t moved_ = 0;
};

}  // namespace

int RemoveTree(const std::string& path, const std::function<bool()>& give_up) {
  const Fd top = OpenFolder(AT_FDCWD, path.c_str());
  if (!top || fchmod(top.get(), S_IRWXU) < 0) return errno;
  const int error = Flattener(top.get(), give_up).Run();
  if (error != 0) return error;
  return rmdir(path.c_str()) == 0 ? 0 : errno;
}

}  // namespace rawgate::exec
