#include "services/file/file_syscalls.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace rawgate::file {

Syscalls& Syscalls::Kernel() {
  static Syscalls kernel;
  return kernel;
}

int Syscalls::OpenAt(int folder, const char* path, int flags, mode_t mode) {
  return ::openat(folder, path, flags, mode);
}

int Syscalls::OpenAt2(int folder, const char* path, int flags, uint64_t resolve) {
  open_how how{};
  how.flags = static_cast<unsigned>(flags);
  how.resolve = resolve;
  return static_cast<int>(::syscall(SYS_openat2, folder, path, &how, sizeof(how)));
}

int Syscalls::MkdirAt(int folder, const char* path, mode_t mode) {
  return ::mkdirat(folder, path, mode);
}

int Syscalls::LinkAt(int from_folder, const char* from, int to_folder, const char* to, int flags) {
  return ::linkat(from_folder, from, to_folder, to, flags);
}

int Syscalls::RenameAt2(int from_folder, const char* from, int to_folder, const char* to,
                        unsigned flags) {
  return ::renameat2(from_folder, from, to_folder, to, flags);
}

int Syscalls::UnlinkAt(int folder, const char* path, int flags) {
  return ::unlinkat(folder, path, flags);
}

int Syscalls::FstatAt(int folder, const char* path, struct stat* result, int flags) {
  return ::fstatat(folder, path, result, flags);
}

int Syscalls::FstatVfs(int fd, struct statvfs* result) { return ::fstatvfs(fd, result); }

int Syscalls::Fallocate(int fd, int mode, off_t offset, off_t length) {
  return ::fallocate(fd, mode, offset, length);
}

int Syscalls::Ftruncate(int fd, off_t size) { return ::ftruncate(fd, size); }

ssize_t Syscalls::Pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  return ::pwrite(fd, bytes, size, offset);
}

ssize_t Syscalls::SpliceFromPipe(int pipe, int file, off_t offset, size_t size) {
  return ::splice(pipe, nullptr, file, &offset, size, SPLICE_F_MOVE);
}

int Syscalls::Fdatasync(int fd) { return ::fdatasync(fd); }

int Syscalls::Fsync(int fd) { return ::fsync(fd); }

}  // namespace rawgate::file
