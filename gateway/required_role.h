// What role each method needs, read from the protos' descriptors: no list of methods is written a
// second time.
#pragma once

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "google/protobuf/descriptor.h"
#include "runtime/rpc/role.h"

namespace rawgate::gateway {

// As rawgate.access.v1.required_role says; kAdmin where it says nothing, or what is no role.
rpc::Role RequiredRole(const google::protobuf::MethodDescriptor& method);

// For each method of `services`, by its path "/rawgate.echo.v1.EchoService/Echo".
absl::flat_hash_map<std::string, rpc::Role> RequiredRoles(
    const std::vector<const google::protobuf::ServiceDescriptor*>& services);

}  // namespace rawgate::gateway
