#include "services/exec/exec_output.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::exec {
namespace {

Fd OpenUnnamed(const std::string& folder) {
  Fd file(open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file || (errno != EOPNOTSUPP && errno != EISDIR)) return file;
  // A file system without O_TMPFILE.
  std::string path = absl::StrCat(folder, "/.rawgate-output-XXXXXX");
  file.Reset(mkostemp(path.data(), O_CLOEXEC));
  if (file) unlink(path.c_str());
  return file;
}

}  // namespace

absl::StatusOr<std::string> Output::Read(uint64_t offset, size_t max) const {
  if (!in_file()) {
    return offset < memory_.size() ? memory_.substr(offset, max) : std::string();
  }
  std::string bytes(max, '\0');
  size_t filled = 0;
  while (filled < max) {
    const ssize_t n = pread(file_.get(), bytes.data() + filled, max - filled,
                            static_cast<off_t>(offset + filled));
    if (n < 0) return ErrnoError(errno, "read of kept output");
    if (n == 0) break;
    filled += static_cast<size_t>(n);
  }
  bytes.resize(filled);
  return bytes;
}

void Output::Append(absl::string_view bytes) {
  memory_.append(bytes.data(), bytes.size());
  size_ += bytes.size();
}

void Output::MoveToFile(Fd file) {
  file_ = std::move(file);
  std::string().swap(memory_);
}

absl::StatusOr<Fd> MakeSpoolFile(const std::string& folder, absl::string_view bytes) {
  Fd file = OpenUnnamed(folder);
  if (!file) return ErrnoError(errno, absl::StrCat("output file in ", folder));
  while (!bytes.empty()) {
    const ssize_t n = write(file.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError(errno, absl::StrCat("output file in ", folder));
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return file;
}

}  // namespace rawgate::exec
