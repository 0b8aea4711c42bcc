// The folder that the store lives in, held by one descriptor; and the only way from a name to a
// descriptor.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "runtime/base/fd.h"
#include "services/file/file_name.h"
#include "services/file/file_syscalls.h"

namespace rawgate::file {

// Thread-safe.
class FileRoot {
 public:
  // Opens `path`, which may be a symbolic link: it is the operator's choice. A missing folder is
  // made, with mode 0700 and durably, and so are those above it. `syscalls` outlives this object.
  // Errors: as errno has it, with `path` in the message.
  static absl::StatusOr<FileRoot> Open(const std::string& path, Syscalls& syscalls);

  // Opens what `name` names, at or below the root. Follows no symbolic link, in no component, and
  // no magic link: with openat2(2) and RESOLVE_BENEATH, or, where that is missing or forbidden
  // (seccomp), one component after the other with O_NOFOLLOW. O_CLOEXEC is added. On error the
  // result owns nothing and errno is set.
  Fd Open(const FileName& name, int flags) const;
  // A folder, fit for *at() calls, reading and fsync.
  Fd OpenFolder(const FileName& folder) const;
  // One entry of an open folder.
  Fd OpenEntry(int folder, const char* entry, int flags) const;
  // Keeps the bytes of a file that is about to lose its name where they are: to be held until the
  // loss is on disk. A power cut before that brings the name back, by when the blocks of a file
  // that nobody holds may have another's bytes (ext4 with data=writeback).
  Fd KeepEntry(int folder, const char* entry) const;

 private:
  FileRoot(Fd root, Syscalls& syscalls, bool has_openat2)
      : root_(std::move(root)), syscalls_(&syscalls), has_openat2_(has_openat2) {}
  Fd OpenByComponents(const FileName& name, int flags) const;

  Fd root_;
  Syscalls* syscalls_;
  bool has_openat2_;
};

}  // namespace rawgate::file
