// Custom metadata, carried from one leg of a call to the other. What belongs to one connection only
// stays: reserved names ("grpc-..."), pseudo headers, user-agent. So does what is between a client
// and the gateway: its token, and the names that the gateway keeps for itself ("x-rawgate-...").
// What gRPC would not send (it ends the process on an illegal value, where a peer can put anything
// on the wire) is dropped.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gateway/access_table.h"
#include "grpcpp/client_context.h"
#include "grpcpp/server_context.h"

namespace rawgate::gateway {

using Metadata = std::vector<std::pair<std::string, std::string>>;

// What a client's call brings that travels, and who the client is (rpc::kPeerMetadataKey,
// kRoleMetadataKey and kUserMetadataKey), whatever it says itself: for calls that outlive the
// client's own.
Metadata RequestMetadata(const grpc::ServerContextBase& from, const Caller& caller);
void AddMetadata(const Metadata& metadata, grpc::ClientContext& to);
// Both at once.
void CopyRequestMetadata(const grpc::ServerContextBase& from, const Caller& caller,
                         grpc::ClientContext& to);
void CopyInitialMetadata(const grpc::ClientContext& from, grpc::ServerContextBase& to);
void CopyTrailingMetadata(const grpc::ClientContext& from, grpc::ServerContextBase& to);

}  // namespace rawgate::gateway
