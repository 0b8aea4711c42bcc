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

// As LookUp(), but with a file's SHA-256, for which it reads all of it where that is not known.
// Errors: DATA_LOSS (FILE_SHRUNK) when somebody changed it meanwhile; INTERNAL
// (DIGEST_UNAVAILABLE); those of read(2).
absl::StatusOr<FileInfo> LookUpWithSha256(FileStore& store, const FileName& name);

// The file that `spec` wants, if it is stored, durably, already: same name, size and SHA-256.
// Nothing when `spec` expects no SHA-256.
std::optional<FileInfo> FindStored(FileStore& store, const UploadSpec& spec);

}  // namespace rawgate::file
