#include "services/file/file_download.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "services/file/file_errors.h"

namespace rawgate::file {

absl::StatusOr<FileDownload> FileDownload::Open(FileStore& store, const FileName& name,
                                                uint64_t offset, std::optional<uint64_t> length) {
  // O_NONBLOCK: a FIFO that somebody put there must not hold this thread up.
  Fd file = store.root.Open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file) return LookupError(errno, name);
  struct stat status;
  if (store.syscalls.FstatAt(file.get(), "", &status, AT_EMPTY_PATH) != 0) {
    return LookupError(errno, name);
  }
  if (S_ISDIR(status.st_mode)) return NotAFile(name);
  if (!S_ISREG(status.st_mode)) return FileNotFound(name);

  FileInfo info = ToFileInfo(name.text(), status);
  info.digests = store.digests.Find(status);
  if (offset > info.size) {
    return Error(absl::StatusCode::kOutOfRange, "OFFSET_PAST_END",
                 absl::StrCat("offset ", offset, " is past the end, which is at ", info.size));
  }
  const uint64_t rest = info.size - offset;
  return FileDownload(std::move(file), name, std::move(info), offset,
                      std::min(length.value_or(rest), rest));
}

absl::StatusOr<size_t> FileDownload::Read(std::span<char> buffer) {
  const auto wanted = static_cast<size_t>(std::min<uint64_t>(buffer.size(), remaining()));
  size_t filled = 0;
  while (filled < wanted) {
    const ssize_t n = ::pread(file_.get(), buffer.data() + filled, wanted - filled,
                              static_cast<off_t>(position_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return LookupError(errno, name_);
    if (n == 0) return Shrunk();
    filled += static_cast<size_t>(n);
    CountRead(static_cast<uint64_t>(n));
  }
  return filled;
}

absl::Status FileDownload::Shrunk() const { return FileShrunk(name_); }

}  // namespace rawgate::file
