#include "runtime/rpc/role.h"

#include <array>

namespace rawgate::rpc {
namespace {

constexpr std::array<absl::string_view, 4> kNames = {"viewer", "operator", "executor", "admin"};

}  // namespace

absl::string_view RoleName(Role role) { return kNames[static_cast<size_t>(role) - 1]; }

std::optional<Role> RoleOfName(absl::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Role>(i + 1);
  }
  return std::nullopt;
}

}  // namespace rawgate::rpc
