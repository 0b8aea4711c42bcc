// TLS of the gateway, both ways, as the flags say.
#pragma once

#include "absl/status/status.h"
#include "gateway/gateway_server.h"

namespace rawgate::gateway {

// Sets options.tls, and what options.reach needs of it. Errors: INVALID_ARGUMENT (BAD_OPTION),
// as FieldError.
absl::Status AddTlsFromFlags(GatewayServer::Options& options);

}  // namespace rawgate::gateway
