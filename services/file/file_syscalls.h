// The system calls on which the store's promises rest, as an object: a test replaces it to make any
// of them fail.
#pragma once

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>

#include <cstdint>

namespace rawgate::file {

// Each is the call of its name, section 2 of the manual: -1 and errno on error. Thread-safe.
class Syscalls {
 public:
  virtual ~Syscalls() = default;
  // The kernel's own.
  static Syscalls& Kernel();

  virtual int OpenAt(int folder, const char* path, int flags, mode_t mode);
  virtual int OpenAt2(int folder, const char* path, int flags, uint64_t resolve);
  virtual int MkdirAt(int folder, const char* path, mode_t mode);
  virtual int LinkAt(int from_folder, const char* from, int to_folder, const char* to, int flags);
  virtual int RenameAt2(int from_folder, const char* from, int to_folder, const char* to,
                        unsigned flags);
  virtual int UnlinkAt(int folder, const char* path, int flags);
  virtual int FstatAt(int folder, const char* path, struct stat* result, int flags);
  virtual int FstatVfs(int fd, struct statvfs* result);
  virtual int Fallocate(int fd, int mode, off_t offset, off_t length);
  virtual int Ftruncate(int fd, off_t size);
  virtual ssize_t Pwrite(int fd, const void* bytes, size_t size, off_t offset);
  // splice(2) from a pipe into a file at `offset`.
  virtual ssize_t SpliceFromPipe(int pipe, int file, off_t offset, size_t size);
  virtual int Fdatasync(int fd);
  virtual int Fsync(int fd);
};

}  // namespace rawgate::file
