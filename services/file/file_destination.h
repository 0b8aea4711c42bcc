// The place in the store that an upload is for: looked at before its first byte, taken at its end.
#pragma once

#include "absl/status/statusor.h"
#include "runtime/base/fd.h"
#include "services/file/file_store.h"
#include "services/file/file_temporary.h"
#include "services/file/file_upload_spec.h"

namespace rawgate::file {

// Looks at all that can be known before the first byte, `received` of which are here already.
// Returns the deepest folder on the way to the name that is there: what is missing is made only
// when the file is whole, and in the same file system. Errors: INVALID_ARGUMENT (FILE_TOO_LARGE),
// RESOURCE_EXHAUSTED (NO_SPACE), FAILED_PRECONDITION (NOT_A_FILE), ALREADY_EXISTS (FILE_EXISTS).
absl::StatusOr<Fd> CheckDestination(FileStore& store, const UploadSpec& spec,
                                    uint64_t received = 0);

// Makes the folders, and gives `file` the name, all of it durably; see Publish() for errors.
// Returns the size of the file that it replaces, 0 if there was none.
absl::StatusOr<uint64_t> TakeDestination(FileStore& store, const FileName& name, bool if_absent,
                                         TemporaryFile& file);

}  // namespace rawgate::file
