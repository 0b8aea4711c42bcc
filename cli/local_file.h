// The near end of a transfer: a file that is read while it must not change, and one that appears
// under its name only when it is whole.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/base/fd.h"

namespace rawgate::cli {

// A regular file, read from its beginning.
class SourceFile {
 public:
  // Errors: those of open(2); FAILED_PRECONDITION (NOT_A_FILE).
  static absl::StatusOr<SourceFile> Open(const std::string& path);

  // Bytes, when it was opened.
  uint64_t size() const { return static_cast<uint64_t>(opened_.st_size); }

  // The next bytes into `buffer`, as many as fit; fewer only at the end of the file.
  absl::Status Read(std::string& buffer, size_t most);

  // ABORTED (FILE_CHANGED) when it was written to since it was opened.
  absl::Status CheckUnchanged() const;

 private:
  SourceFile(Fd fd, std::string path, const struct stat& opened);

  Fd fd_;
  std::string path_;
  struct stat opened_;
};

// Where a download goes. Until Commit() an older file of that name is what everybody sees; without
// it nothing is left behind. Something that is there and is no regular file (a device, a pipe) is
// written to directly.
class TargetFile {
 public:
  // Makes a temporary file beside `path`, or beside what it links to. Errors: those of mkstemp(3)
  // and open(2); FAILED_PRECONDITION (IS_A_FOLDER).
  static absl::StatusOr<TargetFile> Create(const std::string& path);
  ~TargetFile();
  TargetFile(TargetFile&& other) noexcept;
  TargetFile& operator=(TargetFile&&) = delete;

  absl::Status Write(absl::string_view bytes);

  // Gives it its name and its permissions: those of the file that it replaces, else what the umask
  // leaves. Errors: those of rename(2).
  absl::Status Commit();

 private:
  TargetFile(Fd fd, std::string path, std::string temporary, mode_t mode);

  Fd fd_;
  std::string path_;
  // Empty when writing directly, and after Commit().
  std::string temporary_;
  mode_t mode_;
};

// The last component of a name: "a/b.txt" is "b.txt". Empty when it ends with '/'.
std::string LastComponent(const std::string& name);

bool IsFolder(const std::string& path);

}  // namespace rawgate::cli
