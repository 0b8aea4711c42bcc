#include "gateway/metadata.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "grpc/grpc.h"
#include "runtime/rpc/admission.h"
#include "runtime/rpc/call_log.h"

namespace rawgate::gateway {
namespace {

bool IsLegalText(grpc::string_ref value) {
  return grpc_header_nonbin_value_is_legal(
             grpc_slice_from_static_buffer(value.data(), value.size())) != 0;
}

bool Travels(grpc::string_ref key, grpc::string_ref value) {
  const absl::string_view name(key.data(), key.size());
  if (absl::StartsWith(name, "grpc-") || absl::StartsWith(name, "x-rawgate-") ||
      name == "user-agent" || name == "authorization")
    return false;
  const grpc_slice key_slice = grpc_slice_from_static_buffer(key.data(), key.size());
  if (!grpc_header_key_is_legal(key_slice)) return false;
  return grpc_is_binary_header(key_slice) || IsLegalText(value);
}

template <typename Metadata, typename Add>
void CopyTravelling(const Metadata& metadata, Add add) {
  for (const auto& [key, value] : metadata) {
    if (!Travels(key, value)) continue;
    add(std::string(key.data(), key.size()), std::string(value.data(), value.size()));
  }
}

}  // namespace

Metadata RequestMetadata(const grpc::ServerContextBase& from) {
  Metadata metadata;
  const auto add = [&](const std::string& key, const std::string& value) {
    metadata.emplace_back(key, value);
  };
  CopyTravelling(from.client_metadata(), add);
  for (const char* key : {rpc::kPeerMetadataKey, rpc::kRoleMetadataKey, rpc::kUserMetadataKey}) {
    const absl::string_view value = rpc::OnlyValue(from.client_metadata(), key);
    if (!value.empty()) add(key, std::string(value));
  }
  return metadata;
}

void AddMetadata(const Metadata& metadata, grpc::ClientContext& to) {
  for (const auto& [key, value] : metadata) to.AddMetadata(key, value);
}

void CopyInitialMetadata(const grpc::ClientContext& from, grpc::ServerContextBase& to) {
  CopyTravelling(
      from.GetServerInitialMetadata(),
      [&](const std::string& key, const std::string& value) { to.AddInitialMetadata(key, value); });
}

void CopyTrailingMetadata(const grpc::ClientContext& from, grpc::ServerContextBase& to) {
  CopyTravelling(from.GetServerTrailingMetadata(),
                 [&](const std::string& key, const std::string& value) {
                   to.AddTrailingMetadata(key, value);
                 });
}

}  // namespace rawgate::gateway
