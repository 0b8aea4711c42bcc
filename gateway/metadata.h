// Custom metadata, carried from one leg of a call to the other. What belongs to one connection only
// stays: reserved names ("grpc-..."), pseudo headers, user-agent. What gRPC would not send (it ends
// the process on an illegal value, where a peer can put anything on the wire) is dropped.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "grpcpp/client_context.h"
#include "grpcpp/server_context.h"

namespace rawgate::gateway {

using Metadata = std::vector<std::pair<std::string, std::string>>;

// What a client's call brings that travels, and who the client is (rpc::kPeerMetadataKey and
// kRoleMetadataKey), whatever it says itself: for calls that outlive the client's own.
Metadata RequestMetadata(const grpc::ServerContextBase& from);
void AddMetadata(const Metadata& metadata, grpc::ClientContext& to);
// Both at once.
void CopyRequestMetadata(const grpc::ServerContextBase& from, grpc::ClientContext& to);
void CopyInitialMetadata(const grpc::ClientContext& from, grpc::ServerContextBase& to);
void CopyTrailingMetadata(const grpc::ClientContext& from, grpc::ServerContextBase& to);

}  // namespace rawgate::gateway
