// Files with keys and tokens in them: none is replaced unasked, and nobody else reads them.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/base/fd.h"

namespace rawgate::cli {

struct CredentialFile {
  // In its folder.
  std::string name;
  std::string content;
  // Others need to read certificates, never keys.
  mode_t mode = 0600;
};

// Makes `folder`, for its owner alone. One that is there stays as it is. Errors: those of mkdir(2);
// FAILED_PRECONDITION (FOLDER_NOT_PRIVATE) for one that others may write to: they could put files
// of theirs in the place of ours.
absl::Status MakePrivateFolder(const std::string& folder);

// All of them or none. Errors: ALREADY_EXISTS (CREDENTIALS_EXIST) when one is there; those of
// open(2) and write(2).
absl::Status WriteNewFiles(const std::string& folder, const std::vector<CredentialFile>& files);

// Puts it in the place of the old one: readers see one or the other. Errors: those of open(2),
// write(2), rename(2).
absl::Status ReplaceFile(const std::string& folder, const CredentialFile& file);

// Errors: those of open(2) and read(2); of more than `most` bytes only one more is returned. Waits
// for what is a pipe, such as a shell's <(...).
absl::StatusOr<std::string> ReadSmallFile(const std::string& path, size_t most);

// The same of one that is open; `path` is for errors.
absl::StatusOr<std::string> ReadSmallFile(const Fd& file, const std::string& path, size_t most);

}  // namespace rawgate::cli
