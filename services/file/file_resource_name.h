// Names of resources, as google.bytestream has them, and what they mean in the store.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/file/file_upload_spec.h"

namespace rawgate::file {

// What writing the resource means: a resumable upload, from the beginning. Of
// "[PREFIX/]uploads/ID/blobs/SHA256/SIZE[/ANYTHING]" it is that of the file
// "[PREFIX/]blobs/SHA256/SIZE", with this size and digest; of any other name, that of the file of
// that name, whose size is not known. Errors, of the field "resource_name": INVALID_ARGUMENT
// (BAD_FILENAME; BAD_RESOURCE_NAME: a blob without a SHA-256 in lower case or without a size, or a
// compressed one); INTERNAL (DIGEST_UNAVAILABLE).
absl::StatusOr<UploadSpec> ParseResourceName(absl::string_view resource_name);

}  // namespace rawgate::file
