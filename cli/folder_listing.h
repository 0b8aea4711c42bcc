// Folders of the far side, page by page: they may hold more than there is memory for.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rawgate/file/v1/file_service.grpc.pb.h"

namespace rawgate::cli {

// Calls `take` with each page of `folder` (empty: the root), until it fails. Every entry of a page
// is one of this folder: its name is the folder's, '/', and one component that is safe as a file's
// name here, too. Errors: those of ListFiles and of `take`; DATA_LOSS (BAD_LISTING) for a page with
// anything else.
absl::Status ForEachPage(
    file::v1::FileService::Stub& store, const std::string& folder,
    const std::function<absl::Status(const file::v1::ListFilesResponse&)>& take);

// Calls `take` with each entry of `folder` and of the folders below it, each folder before what it
// holds. At most one page for each level is in memory. Errors: as ForEachPage(), and DATA_LOSS
// (BAD_LISTING) for folders deeper than any store's.
absl::Status ForEachEntryBelow(file::v1::FileService::Stub& store, const std::string& folder,
                               const std::function<absl::Status(const file::v1::FileInfo&)>& take);

// As people write it: "reports/" is "reports", and "/" is the root.
std::string FolderName(absl::string_view written);

}  // namespace rawgate::cli
