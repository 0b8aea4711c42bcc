// The access file as people write it: protos/rawgate/access/v1/access_file.proto in protobuf's text
// format.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gateway/access_table.h"

namespace rawgate::gateway {

inline constexpr size_t kAccessFileBytesMax = 1 << 20;
inline constexpr size_t kAccessUsersMax = 1000;
inline constexpr size_t kUserNameMax = 64;

// `name` is the file's, for messages. Error: INVALID_ARGUMENT (BAD_ACCESS_FILE); the message has a
// line "NAME:LINE:COLUMN: what is wrong" for each of the first faults, and repeats no credential.
absl::StatusOr<std::shared_ptr<const AccessTable>> ParseAccessFile(absl::string_view text,
                                                                   absl::string_view name);

// The text of the file. May wait for a disk. Errors: of open(2) and read(2); BAD_ACCESS_FILE for
// what is no regular file, can be written by every user of the machine, or has more than
// kAccessFileBytesMax bytes.
absl::StatusOr<std::string> ReadAccessFile(const std::string& path);

}  // namespace rawgate::gateway
