// Who may do what: rawgate.access.v1.Role as this side of the generated code has it.
#pragma once

#include <optional>

#include "absl/strings/string_view.h"

namespace rawgate::rpc {

// Each includes those before it. Numbers as in protos/rawgate/access/v1/access.proto.
enum class Role { kViewer = 1, kOperator, kExecutor, kAdmin };

// "viewer", as requests carry it from the gateway to the services.
absl::string_view RoleName(Role role);
// Nothing for any other text.
std::optional<Role> RoleOfName(absl::string_view name);

}  // namespace rawgate::rpc
