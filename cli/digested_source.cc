#include "cli/digested_source.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

constexpr uint64_t kReadSize = 1 << 20;

}  // namespace

DigestedSource::DigestedSource(SourceFile file, const absl::Notification& stop)
    : file_(std::move(file)), stop_(stop) {}

absl::StatusOr<std::string> DigestedSource::DigestUntil(uint64_t size) {
  digest_.RewindTo(size);
  file_.Seek(digest_.size());
  std::string buffer;
  while (digest_.size() < size) {
    if (stop_.HasBeenNotified()) return absl::CancelledError();
    const uint64_t most = std::min(kReadSize, size - digest_.size());
    if (absl::Status read = Read(buffer, static_cast<size_t>(most)); !read.ok()) return read;
    if (buffer.empty()) {
      return Error(absl::StatusCode::kAborted, "FILE_CHANGED",
                   absl::StrCat(file_.path(), " became shorter; nothing was stored"));
    }
  }
  return digest_.Digest();
}

absl::Status DigestedSource::Read(std::string& buffer, size_t most) {
  absl::Status read = file_.Read(buffer, most);
  if (read.ok()) digest_.Add(buffer);
  return read;
}

}  // namespace rawgate::cli
