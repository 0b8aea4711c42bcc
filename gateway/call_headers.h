// The header fields of a forwarded call, on each of its two legs. Custom metadata travels; what
// belongs to one connection only stays: reserved names ("grpc-..."), user-agent, and what is
// between a client and the gateway, its token and the names that the gateway keeps for itself
// ("x-rawgate-..."). What gRPC would not send is dropped.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/access_table.h"
#include "grpcpp/support/status.h"
#include "runtime/http2/header_list.h"

namespace rawgate::gateway {

// Of the way to a replica.
struct Leg {
  const std::string& authority;
  const std::string& scheme;
};

struct ForwardedRequest {
  // As the client sent it.
  const http2::HeaderList& fields;
  const Caller& caller;
  // "tcp://127.0.0.1:4711".
  const std::string& peer;
  // Attempts before this one.
  int attempts = 0;
  std::optional<absl::Duration> time_left = std::nullopt;
};

// Who calls is what the gateway says, whatever the client does (rpc::kPeerMetadataKey,
// kRoleMetadataKey and kUserMetadataKey).
http2::HeaderList RequestToBackend(const ForwardedRequest& request, const Leg& leg);

// The answer's first fields, from what the replica sent.
http2::HeaderList ResponseToClient(const http2::HeaderList& from_backend);
// Its last ones: `from_backend`'s metadata and `status`. With `alone`, they are the only ones.
http2::HeaderList TrailersToClient(const http2::HeaderList& from_backend,
                                   const grpc::Status& status, bool alone);
// As they are, status included.
http2::HeaderList PassTrailers(const http2::HeaderList& from_backend, bool alone);

// Of a request that is no gRPC: the HTTP status says so.
http2::HeaderList NotGrpc();

}  // namespace rawgate::gateway
