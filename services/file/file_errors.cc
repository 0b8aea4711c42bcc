#include "services/file/file_errors.h"

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::file {
namespace {

using absl::StatusCode;

// When a full disk is worth another try.
constexpr absl::Duration kSpaceRetry = absl::Minutes(1);

std::string Quoted(const FileName& name) { return absl::StrCat("\"", ToUtf8(name.text()), "\""); }

}  // namespace

absl::Status LookupError(int errno_value, const FileName& name, absl::string_view field) {
  switch (errno_value) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case EXDEV:
    case ENXIO:  // a socket, or a FIFO that nobody reads
      return FileNotFound(name);
    case ENAMETOOLONG:
      return FieldError(field, "BAD_FILENAME",
                        absl::StrCat(Quoted(name), " is too long for this file system"));
    default:
      return ErrnoError(errno_value, Quoted(name));
  }
}

absl::Status StoringError(int errno_value, const FileName& name) {
  switch (errno_value) {
    case ENOENT:
      return Error(StatusCode::kAborted, "FOLDER_REMOVED",
                   absl::StrCat("the folder of ", Quoted(name), " was removed meanwhile"));
    case ENOTDIR:
    case ELOOP:
    case EXDEV:
    case EISDIR:
      return NotAFile(name);
    case ENOSPC:
    case EDQUOT:
      return WithRetryAfter(Error(StatusCode::kResourceExhausted, "NO_SPACE",
                                  absl::StrCat("no space left for ", Quoted(name))),
                            kSpaceRetry);
    case EFBIG:
      return FieldError("size", "FILE_TOO_LARGE",
                        absl::StrCat(Quoted(name), " is larger than this file system allows"));
    default:
      return LookupError(errno_value, name);
  }
}

absl::Status SyncError(int errno_value, const FileName& name) {
  return Error(
      StatusCode::kDataLoss, "SYNC_FAILED",
      ErrnoError(errno_value, absl::StrCat(Quoted(name), " could not be made durable")).message());
}

absl::Status UploadNotFound(absl::string_view upload_id) {
  return Error(StatusCode::kNotFound, "UPLOAD_NOT_FOUND",
               absl::StrCat("there is no unfinished upload \"", upload_id, "\""));
}

absl::Status WrongOffset(uint64_t offset, uint64_t committed) {
  return WithMetadata(
      Error(StatusCode::kAborted, "WRONG_OFFSET",
            absl::StrCat("offset ", offset, " is not where to go on: that is ", committed)),
      kCommittedSize, absl::StrCat(committed));
}

absl::Status OtherFileSystem(const FileName& name) {
  return Error(StatusCode::kFailedPrecondition, "OTHER_FILE_SYSTEM",
               absl::StrCat(Quoted(name), " is on another file system"));
}

absl::Status FileShrunk(const FileName& name) {
  return Error(StatusCode::kDataLoss, "FILE_SHRUNK",
               absl::StrCat(Quoted(name), " was changed while it was read"));
}

absl::Status FileNotFound(const FileName& name) {
  return Error(StatusCode::kNotFound, "FILE_NOT_FOUND",
               absl::StrCat("there is no ", name.is_root() ? "such file" : Quoted(name)));
}

absl::Status FileExists(const FileName& name) {
  return Error(StatusCode::kAlreadyExists, "FILE_EXISTS",
               absl::StrCat(Quoted(name), " is there already"));
}

absl::Status NotAFile(const FileName& name) {
  return Error(StatusCode::kFailedPrecondition, "NOT_A_FILE",
               absl::StrCat(Quoted(name), " is a folder, or goes through something that is none"));
}

}  // namespace rawgate::file
