#include "gateway/required_role.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "rawgate/access/v1/access.pb.h"

namespace rawgate::gateway {

using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

rpc::Role RequiredRole(const MethodDescriptor& method) {
  // gRPC's own protos know nothing of ours.
  if (absl::StartsWith(method.full_name(), "grpc.reflection.")) return rpc::Role::kViewer;
  const access::v1::Role role = method.options().GetExtension(access::v1::required_role);
  const bool is_role = role != access::v1::ROLE_UNSPECIFIED && access::v1::Role_IsValid(role);
  return is_role ? static_cast<rpc::Role>(role) : rpc::Role::kAdmin;
}

absl::flat_hash_map<std::string, rpc::Role> RequiredRoles(
    const std::vector<const ServiceDescriptor*>& services) {
  absl::flat_hash_map<std::string, rpc::Role> roles;
  for (const ServiceDescriptor* service : services) {
    for (int i = 0; i < service->method_count(); ++i) {
      const MethodDescriptor& method = *service->method(i);
      roles.emplace(absl::StrCat("/", service->full_name(), "/", method.name()),
                    RequiredRole(method));
    }
  }
  return roles;
}

}  // namespace rawgate::gateway
