#include "services/exec/exec_folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rawgate::exec {

Fd LockFolder(const std::string& folder) {
  Fd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat locked {};
  struct stat named {};
  if (!fd || flock(fd.get(), LOCK_EX | LOCK_NB) < 0 || fstat(fd.get(), &locked) < 0 ||
      lstat(folder.c_str(), &named) < 0 || locked.st_ino != named.st_ino ||
      locked.st_dev != named.st_dev || locked.st_uid != geteuid())
    return Fd();
  return fd;
}

}  // namespace rawgate::exec
