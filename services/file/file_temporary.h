// A file without a place in the store yet: what an upload is written into, until it is whole and
// gets its name.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "runtime/base/fd.h"
#include "services/file/file_name.h"
#include "services/file/file_syscalls.h"

namespace rawgate::file {

// How a file made with O_TMPFILE can be given a name here.
enum class LinkMethod {
  kDescriptor,  // linkat(AT_EMPTY_PATH): needs CAP_DAC_READ_SEARCH, or Linux 6.10
  kProc,        // through /proc/self/fd
  kNone,        // not at all: use hidden names
};

// Finds out by doing it in `folder`. kProc when `folder` cannot be written to: then nothing will be
// stored anyway.
LinkMethod ProbeLinkMethod(int folder, Syscalls& syscalls);

// An unnamed file (O_TMPFILE), which vanishes by itself however the process ends; where the file
// system has none, a file with a hidden name (kReservedPrefix), removed by the destructor. A hidden
// file is locked with flock(2) while its process lives, so that RemoveLeftovers() can tell what a
// crash left behind. Move-only; one thread at a time.
class TemporaryFile {
 public:
  // Makes one in `folder` and so in its file system, open for reading and writing. -1-like: an
  // empty object, and errno set.
  static TemporaryFile Create(Fd folder, LinkMethod method, Syscalls& syscalls);

  // Takes on `file`, which is `entry` of `folder`, the only name that it has. Name() gives it a
  // second one, where the file system has such; where it has none, the first is given up for it.
  // However the process ends, either it still has that name alone, or it has its place in the
  // store. `folder` outlives the result.
  static TemporaryFile Adopt(Fd file, int folder, std::string entry, Syscalls& syscalls);

  TemporaryFile() = default;
  TemporaryFile(TemporaryFile&& other) noexcept;
  TemporaryFile& operator=(TemporaryFile&& other) noexcept;
  ~TemporaryFile();

  explicit operator bool() const { return file_ != nullptr; }
  int fd() const { return file_->get(); }
  // Second owner: the digest, which reads back what is written.
  std::shared_ptr<const Fd> shared_fd() const { return file_; }

  // `status` is that of this file, or of the one that it replaced.
  bool Is(const struct stat& status) const;

  // ---- Getting its name; each returns 0, or -1 and errno.

  // Names it `entry` of `folder`; EEXIST when that is taken.
  int Name(int folder, const char* entry);
  void Unname(int folder, const char* entry);
  // It was named `entry` of `folder`, and from now on is one that was adopted there.
  void Settle(int folder, std::string entry);

  // Swaps places with the file that is `entry` of `folder`, which is kept: hidden, until this
  // object is destroyed, or under the name that an adopted file had, until its owner removes that.
  // Or merely replaces it, on file systems that cannot swap. ENOENT when there is none to replace.
  int Replace(int folder, const char* entry);
  // Swaps back, if it was swapped.
  void Unreplace(int folder, const char* entry);

 private:
  bool is_adopted() const { return own_folder_ >= 0; }
  // Gives an unnamed file a hidden name in `folder`.
  int Hide(int folder);
  // renameat2(2) of the name that it has.
  int Rename(int folder, const char* entry, unsigned flags);
  int LinkUnnamed(int folder, const char* entry);

  Syscalls* syscalls_ = nullptr;
  LinkMethod method_ = LinkMethod::kNone;
  std::shared_ptr<const Fd> file_;
  // Of an adopted file.
  int own_folder_ = -1;
  std::string own_name_;
  // Where the hidden name is, if there is one: after Replace() it is the older file's.
  Fd hidden_folder_;
  std::string hidden_name_;
  // The file that it replaces.
  Fd older_;
  bool swapped_ = false;
};

}  // namespace rawgate::file
