#include "gateway/metadata.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "grpc/grpc.h"
#include "runtime/rpc/admission.h"

namespace rawgate::gateway {
namespace {

bool Travels(grpc::string_ref key, grpc::string_ref value) {
  const absl::string_view name(key.data(), key.size());
  if (absl::StartsWith(name, "grpc-") || name == "user-agent" || name == rpc::kPeerMetadataKey)
    return false;
  const grpc_slice key_slice = grpc_slice_from_static_buffer(key.data(), key.size());
  if (!grpc_header_key_is_legal(key_slice)) return false;
  if (grpc_is_binary_header(key_slice)) return true;
  return grpc_header_nonbin_value_is_legal(
      grpc_slice_from_static_buffer(value.data(), value.size()));
}

template <typename Metadata, typename Add>
void CopyTravelling(const Metadata& metadata, Add add) {
  for (const auto& [key, value] : metadata) {
    if (!Travels(key, value)) continue;
    add(std::string(key.data(), key.size()), std::string(value.data(), value.size()));
  }
}

}  // namespace

void CopyRequestMetadata(const grpc::ServerContextBase& from, grpc::ClientContext& to) {
  CopyTravelling(from.client_metadata(), [&](const std::string& key, const std::string& value) {
    to.AddMetadata(key, value);
  });
  to.AddMetadata(rpc::kPeerMetadataKey, rpc::PeerUri(from.peer()));
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
