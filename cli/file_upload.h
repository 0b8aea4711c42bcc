// One file on its way to the far side.
#pragma once

#include "absl/status/statusor.h"
#include "cli/transfer.h"

namespace rawgate::cli {

// What the store takes.
struct StoreLimits {
  uint64_t file_max = 0;  // Bytes; 0: not told.
  uint32_t chunk = 256 * 1024;
};
absl::StatusOr<StoreLimits> GetStoreLimits(file::v1::FileService::Stub& store);

// Stores `transfer.source` as `transfer.target`: when it returns OK the file is whole, verified and
// on the far side's disk. Its SHA-256 is computed as it is read, sent last for the store to check
// before anybody sees the file, and compared with that of what was stored.
//
// A broken connection is tried again. An upload that can be resumed has an id that follows from
// file, name, host and user, so that the same command finds it again: it then goes on where it was,
// if the far side has the same bytes, and anew if not.
//
// Errors: INVALID_ARGUMENT (FILE_TOO_LARGE), before anything is sent; ABORTED (FILE_CHANGED: while
// it was being sent), DATA_LOSS (TRANSFER_CORRUPTED); those of reading the file and of the calls.
absl::StatusOr<Transferred> UploadFile(const Transfer& transfer, const StoreLimits& limits,
                                       TransferContext& context);

}  // namespace rawgate::cli
