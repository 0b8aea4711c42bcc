// From errno to the typed errors of file_core.h: one mapping for what reads and one for what
// writes, since a missing folder means "no such file" to the one and nothing to the other.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
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

// Name of a fact (MetadataOf()): where an upload is to go on.
inline constexpr absl::string_view kCommittedSize = "committed_size";

// NOT_FOUND (UPLOAD_NOT_FOUND): there is none of that id, or not any longer.
absl::Status UploadNotFound(absl::string_view upload_id);
// ABORTED (WRONG_OFFSET), with the right one as `committed_size` for programs.
absl::Status WrongOffset(uint64_t offset, uint64_t committed);
// FAILED_PRECONDITION (OTHER_FILE_SYSTEM).
absl::Status OtherFileSystem(const FileName& name);

// DATA_LOSS (FILE_SHRUNK): somebody else cut or changed it.
absl::Status FileShrunk(const FileName& name);

absl::Status FileNotFound(const FileName& name);
absl::Status FileExists(const FileName& name);
// It is a folder, or something that the store does not serve.
absl::Status NotAFile(const FileName& name);

}  // namespace rawgate::file
