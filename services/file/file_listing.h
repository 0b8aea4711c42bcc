// Reading folders.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/base/fd.h"
#include "services/file/file_info.h"
#include "services/file/file_store.h"

namespace rawgate::file {

struct FileListing {
  // In byte order of their names.
  std::vector<FileInfo> entries;
  // Where the next page begins, as List() takes it; empty after the last.
  std::string next;
};

// Entries of `folder` with a name behind `after`, at most `limit` (1 or more): files and folders,
// nothing reserved. Entries made or removed between two pages may or may not be listed, all others
// are, once. Takes memory for one page, whatever is in the folder. Errors: NOT_FOUND
// (FILE_NOT_FOUND), FAILED_PRECONDITION (NOT_A_FOLDER).
absl::StatusOr<FileListing> ListFolder(FileStore& store, const FileName& folder,
                                       absl::string_view after, size_t limit);

// FileListing.next as clients get it, printable and opaque. Error: INVALID_ARGUMENT
// (INVALID_PAGE_TOKEN). Empty stays empty.
std::string EncodePageToken(absl::string_view next);
absl::StatusOr<std::string> DecodePageToken(absl::string_view token);

// Calls `visit` with the name and d_type (see readdir(3)) of every entry but "." and "..", in no
// order. False, and errno, when the folder cannot be read to its end.
bool ForEachEntry(Fd folder,
                  const std::function<void(const char* name, unsigned char type)>& visit);

}  // namespace rawgate::file
