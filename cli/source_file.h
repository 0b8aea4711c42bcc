// The near end of an upload: a file that is read while it must not change.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "runtime/base/fd.h"

namespace rawgate::cli {

// A regular file. Move-only; one thread at a time.
class SourceFile {
 public:
  // Errors: those of open(2); FAILED_PRECONDITION (NOT_A_FILE).
  static absl::StatusOr<SourceFile> Open(const std::string& path);

  const std::string& path() const { return path_; }
  // Bytes, and the time of the last change, when it was opened.
  uint64_t size() const { return static_cast<uint64_t>(opened_.st_size); }
  absl::Time modify_time() const { return absl::TimeFromTimespec(opened_.st_mtim); }

  // The next Read() is of the bytes from `offset` on.
  void Seek(uint64_t offset) { position_ = offset; }

  // The next bytes into `buffer`, as many as fit; fewer only at the end of the file.
  absl::Status Read(std::string& buffer, size_t most);

  // ABORTED (FILE_CHANGED) when it was written to since it was opened.
  absl::Status CheckUnchanged() const;

 private:
  SourceFile(Fd fd, std::string path, const struct stat& opened);

  Fd fd_;
  std::string path_;
  struct stat opened_;
  uint64_t position_ = 0;
};

}  // namespace rawgate::cli
