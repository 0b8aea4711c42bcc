// What stands under a name, and what is known about it. Internal to the core; see file_core.h.
#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "services/file/file_info.h"
#include "services/file/file_store.h"
#include "services/file/file_upload_spec.h"

namespace rawgate::file {

// Error: NOT_FOUND (FILE_NOT_FOUND).
absl::StatusOr<FileInfo> LookUp(FileStore& store, const FileName& name);

// As LookUp(), but with a file's digests of these `kinds`, for which it reads all of it where one
// is not known. Errors: DATA_LOSS (FILE_SHRUNK) when somebody changed it meanwhile; INTERNAL
// (DIGEST_UNAVAILABLE); RESOURCE_EXHAUSTED (TOO_MANY_DIGESTS), see DigestRead; those of read(2).
absl::StatusOr<FileInfo> LookUpWithDigests(FileStore& store, const FileName& name,
                                           DigestKinds kinds);

// DATA_LOSS (DIGEST_MISMATCH) unless `stored`, which is there now, is what `expected` says. Errors:
// as LookUpWithDigests().
absl::Status CheckStored(FileStore& store, const FileInfo& stored, const Digests& expected);

// The file that `spec` wants, if it is stored, durably, already: same name, size and digests.
// Nothing when `spec` expects no SHA-256, or when too many are being looked at.
std::optional<FileInfo> FindStored(FileStore& store, const UploadSpec& spec);

}  // namespace rawgate::file
