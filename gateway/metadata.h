// Custom metadata of calls that the gateway's own services make of backends on behalf of a
// client's. CallHeaders has the same rules for those that are forwarded. What belongs to one
// connection only stays: reserved names ("grpc-..."), pseudo headers, user-agent. So does what is
// between a client and the gateway: its token, and the names that the gateway keeps for itself
// ("x-rawgate-..."). What gRPC would not send (it ends the process on an illegal value, where a
// peer can put anything on the wire) is dropped.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "grpcpp/client_context.h"
#include "grpcpp/server_context.h"

namespace rawgate::gateway {

using Metadata = std::vector<std::pair<std::string, std::string>>;

// What a call of the gateway's own services brings that travels, and who makes it, which the
// forwarder has said (rpc::kPeerMetadataKey, kRoleMetadataKey and kUserMetadataKey): for calls that
// outlive it.
Metadata RequestMetadata(const grpc::ServerContextBase& from);
void AddMetadata(const Metadata& metadata, grpc::ClientContext& to);
void CopyInitialMetadata(const grpc::ClientContext& from, grpc::ServerContextBase& to);
void CopyTrailingMetadata(const grpc::ClientContext& from, grpc::ServerContextBase& to);

}  // namespace rawgate::gateway
