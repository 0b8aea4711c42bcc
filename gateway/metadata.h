// Custom metadata, carried from one leg of a call to the other. What belongs to one connection only
// stays: reserved names ("grpc-..."), pseudo headers, user-agent. What gRPC would not send (it ends
// the process on an illegal value, where a peer can put anything on the wire) is dropped.
#pragma once

#include "grpcpp/client_context.h"
#include "grpcpp/server_context.h"

namespace rawgate::gateway {

// Also tells the backend who the client is (rpc::kPeerMetadataKey), whatever the client itself
// says.
void CopyRequestMetadata(const grpc::ServerContextBase& from, grpc::ClientContext& to);
void CopyInitialMetadata(const grpc::ClientContext& from, grpc::ServerContextBase& to);
void CopyTrailingMetadata(const grpc::ClientContext& from, grpc::ServerContextBase& to);

}  // namespace rawgate::gateway
