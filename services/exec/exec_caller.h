// Who asks for a command.
#pragma once

#include <optional>

#include "runtime/net/endpoint.h"
#include "runtime/rpc/role.h"

namespace rawgate::exec {

struct Caller {
  // Absent when it is not known.
  std::optional<net::Endpoint> address = {};
  // Raw clients have none.
  std::optional<rpc::Role> role = {};
};

}  // namespace rawgate::exec
