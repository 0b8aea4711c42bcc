// From errno to the typed errors of file_core.h: one mapping for what reads and one for what
// writes, since a missing folder means "no such file" to the one and nothing to the other.
#pragma once

#include "absl/status/status.h"
#include "services/file/file_name.h"

namespace rawgate::file {

// Looking `name` up failed. Symbolic links count as absent, so the errno that refuses one is
// NOT_FOUND as well. `field` is where a request has the name.
absl::Status LookupError(int errno_value, const FileName& name,
                         absl::string_view field = "filename");

// Storing `name`, or making its folders, failed. ABORTED (FOLDER_REMOVED) when a folder vanished
// meanwhile.
absl::Status StoringError(int errno_value, const FileName& name);

// fsync or fdatasync failed. Final: the kernel may have dropped the bytes, and a second call would
// not tell.
absl::Status SyncError(int errno_value, const FileName& name);

absl::Status FileNotFound(const FileName& name);
absl::Status FileExists(const FileName& name);
// It is a folder, or something that the store does not serve.
absl::Status NotAFile(const FileName& name);

}  // namespace rawgate::file
