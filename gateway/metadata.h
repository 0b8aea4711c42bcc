// Custom metadata, carried from one leg of a forwarded call to the other. What belongs to one
// connection only stays: reserved names ("grpc-..."), pseudo headers, user-agent. What gRPC would
// not send (it ends the process on an illegal value, where a peer can put anything on the wire) is
// dropped.
#pragma once

#include "grpcpp/client_context.h"
#include "grpcpp/server_context.h"

namespace rawgate::gateway {

void CopyRequestMetadata(const grpc::ServerContext& from, grpc::ClientContext& to);
void CopyInitialMetadata(const grpc::ClientContext& from, grpc::ServerContext& to);
void CopyTrailingMetadata(const grpc::ClientContext& from, grpc::ServerContext& to);

}  // namespace rawgate::gateway
