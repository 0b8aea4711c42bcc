// The near end of a download: a file that appears under its name only when it is whole.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/base/fd.h"

namespace rawgate::cli {

// Until Commit() an older file of that name is what everybody sees. Something that is there and is
// no regular file (a device, a pipe) is written to directly. Move-only; one thread at a time.
class TargetFile {
 public:
  // Makes a temporary file beside `path`, or beside what it links to, which goes with this object.
  // Errors: those of mkstemp(3) and open(2); FAILED_PRECONDITION (IS_A_FOLDER).
  static absl::StatusOr<TargetFile> Create(const std::string& path);

  // As Create(), but the temporary file stays when this object or the process goes, and the next
  // call with the same `path`, `origin` (what is fetched) and `version` (of what is fetched) finds
  // it: its name follows from these three. That of another version is removed, and `outdated()`.
  // Errors: also ABORTED (ALREADY_FETCHING): it is in use; FAILED_PRECONDITION (PART_FILE_NOT_OURS)
  // when what has its name is no regular file, another user's, or has a second name.
  static absl::StatusOr<TargetFile> CreateOrResume(const std::string& path,
                                                   absl::string_view origin,
                                                   absl::string_view version);

  ~TargetFile();
  TargetFile(TargetFile&& other) noexcept;
  TargetFile& operator=(TargetFile&&) = delete;

  // Bytes that are there.
  uint64_t size() const { return size_; }
  bool outdated() const { return outdated_; }

  absl::Status Write(absl::string_view bytes);

  // Hands all bytes that are there to `take`, in order, until it returns false. Not for devices.
  absl::Status ReadBack(const std::function<bool(absl::string_view)>& take) const;

  // Back to no bytes. Error: ABORTED (CANNOT_RESTART) when they went to a device.
  absl::Status Restart();

  // Whether the temporary file stays when this object goes, and where that is.
  bool kept() const { return kept_; }
  const std::string& temporary() const { return temporary_; }
  // It does not stay after all.
  void Discard() { kept_ = false; }

  // Gives it its name and its permissions: those of the file that it replaces, else what the umask
  // leaves. The name then refers to these bytes or, after a power cut, to the older file. Errors:
  // those of fsync(2) and rename(2).
  absl::Status Commit();

 private:
  TargetFile(Fd fd, std::string path, std::string temporary, mode_t mode);

  Fd fd_;
  std::string path_;
  // Empty when writing directly, and after Commit().
  std::string temporary_;
  mode_t mode_;
  uint64_t size_ = 0;
  bool kept_ = false;
  bool outdated_ = false;
};

// How temporary files are called, to leave them out of what is sent.
bool IsTemporaryName(absl::string_view last_component);

}  // namespace rawgate::cli
