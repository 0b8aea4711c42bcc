// TLS of the gateway, both ways, as the flags say.
#pragma once

#include "absl/status/status.h"
#include "gateway/gateway_server.h"

namespace rawgate::gateway {

// Sets options.credentials and options.reach.credentials. Errors: INVALID_ARGUMENT (BAD_OPTION),
// as FieldError.
absl::Status AddTlsFromFlags(GatewayServer::Options& options);

}  // namespace rawgate::gateway
