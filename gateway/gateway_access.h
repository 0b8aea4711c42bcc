// Whom the gateway is open to, as the flags say.
#pragma once

#include "absl/status/status.h"
#include "gateway/gateway_server.h"

namespace rawgate::gateway {

// One off loopback needs TLS and an access file, unless --allow_insecure_bind says otherwise.
// Error: FAILED_PRECONDITION (INSECURE_BIND).
absl::Status CheckExposure(const net::Endpoint& address);

// Sets options.access_file, and checks the exposure of the options' addresses.
absl::Status AddAccessFromFlags(GatewayServer::Options& options);

// A line in the log for each address.
void LogExposure(const GatewayServer& gateway);

}  // namespace rawgate::gateway
