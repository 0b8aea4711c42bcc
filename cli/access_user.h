// New users for a gateway's access file.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/rpc/role.h"

namespace rawgate::cli {

// 256 bits of chance, as 43 characters that need no quotes anywhere. Error: INTERNAL
// (OPENSSL_FAILED).
absl::StatusOr<std::string> MakeToken();

// "user { ... }" in the format of the access file, on several lines, the last with its newline.
// `name` is printable ASCII; an empty `certificate_uri` is left out.
std::string AccessUserText(absl::string_view name, rpc::Role role, absl::string_view token,
                           absl::string_view certificate_uri);

}  // namespace rawgate::cli
