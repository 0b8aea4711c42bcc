// What a command line of `rawgate put` or `rawgate get` means, file by file.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/transfer.h"

namespace rawgate::cli {

// `to` names the file or the folder over there; with several `paths`, or with '/' at its end, it is
// the folder that they go into; empty: each keeps the last component of its path. Folders are gone
// through only if `recursive`: their files keep their names relative to them. Links, and what is
// neither file nor folder, are skipped in them. Errors: INVALID_ARGUMENT (SAME_TARGET) when two
// files would get one name.
absl::StatusOr<TransferPlan> PlanPut(const std::vector<std::string>& paths, const std::string& to,
                                     bool recursive);

// `output` names the file or the folder of this side; with several `names`, with '/' at its end, or
// where a folder of that name is and a file is fetched, it is the folder that they go into; empty:
// each keeps the last component of its name. Names of folders ("/" is the root) only if
// `recursive`. Errors: as above.
absl::StatusOr<TransferPlan> PlanGet(file::v1::FileService::Stub& store,
                                     const std::vector<std::string>& names,
                                     const std::string& output, bool recursive);

}  // namespace rawgate::cli
