// One file on its way from the far side.
#pragma once

#include "absl/status/statusor.h"
#include "cli/console.h"
#include "cli/transfer.h"

namespace rawgate::cli {

// Fetches `transfer.source` to the path `transfer.target`, whose folder is there. The path refers
// to an older file, or to nothing, until all bytes have come and their SHA-256 is right; then to
// them, also after a power cut.
//
// A broken connection is tried again, from where it broke. What came of a file that is resumed
// stays in a hidden file beside the target, and the same command goes on with it, if the far side
// still has the same version.
//
// Errors: DATA_LOSS (TRANSFER_CORRUPTED), ABORTED (FILE_CHANGED: again and again while it was
// fetched); those of TargetFile and of the calls.
absl::StatusOr<Transferred> DownloadFile(const Transfer& transfer, TransferContext& context);

// Likewise to standard output, as bytes come: whether they are right is known at the end only.
absl::Status DownloadToOutput(const Transfer& transfer, const Console& console,
                              TransferContext& context);

}  // namespace rawgate::cli
