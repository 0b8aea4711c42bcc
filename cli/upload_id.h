// How `rawgate put` calls an upload that can be resumed.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "cli/source_file.h"

namespace rawgate::cli {

// The same in every run for the same host, user, path of `source`, its size and time of its last
// change, and `name`; at most 28 characters. The service may know it as complete for some time:
// `generation`, from 0 on, makes others.
std::string UploadId(const SourceFile& source, absl::string_view name, int generation);

// Whether `id` is that of another version of the file that `own` is of.
bool IsOtherVersion(absl::string_view id, absl::string_view own);

}  // namespace rawgate::cli
