// The channels that calls are forwarded over: for each backend, balanced over its replicas.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/forwarding_channels.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

namespace rawgate::gateway {

// Opens the forwarding channels of the backend called `name`, for kLanesPerBackend lanes, and
// begins to connect. Each has a connection of its own to every replica, so that lanes do not wait
// for each other. `target` is any gRPC target; each address that it resolves to is a replica, and
// calls take turns over those that
//
// - are connected, and
// - say SERVING for the whole process on grpc.health.v1.Health (one without that service counts as
//   serving): a replica that drains gets no new calls, and keeps those that it has.
//
// While there is none, calls fail at once with UNAVAILABLE, as do those in progress on a replica
// whose connection breaks. Unary methods that the descriptors call idempotent are tried again,
// on another replica if there is one, kAttemptsMax times at most; of other unary calls only
// what certainly never reached a service is (gRFC A6, "transparent retries"). Streams are never: a
// gRPC 1.51.1 that begins one again, as on a GOAWAY, may lose a message of it, or crash. Clients
// see UNAVAILABLE and begin it again themselves.
std::vector<LaneChannels> OpenBackendChannels(
    const std::string& name, const std::string& target,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials);

inline constexpr int kLanesPerBackend = 2;

// Attempts of an idempotent unary call, the first included. Those after it wait for up to
// kRetryBackoffMs, then twice that, and so on.
inline constexpr int kAttemptsMax = 4;
inline constexpr int kRetryBackoffMs = 20;

// Settings that every channel to a service of ours shares: limits, keepalive, how often a lost one
// is looked for.
grpc::ChannelArguments BackendChannelArguments();

// The service config (gRFC A2, A6, A17) of the forwarding channels, as JSON.
std::string BackendServiceConfig(const std::string& name);

}  // namespace rawgate::gateway
