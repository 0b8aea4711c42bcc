// Gives files and folders other names, durably. Internal to the core; see file_core.h.
#pragma once

#include "absl/status/statusor.h"
#include "services/file/file_info.h"
#include "services/file/file_store.h"

namespace rawgate::file {

// See FileCore::Move().
absl::StatusOr<FileInfo> Move(FileStore& store, const FileName& from, const FileName& to,
                              bool if_absent);

}  // namespace rawgate::file
