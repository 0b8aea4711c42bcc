// The gateway's HTTP server: the pages of every process, and the Connect protocol.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "gateway/gateway_server.h"
#include "runtime/http/server.h"

namespace rawgate::gateway {

// As the flags say; null for --http_listen=off. /readyz says 200 until the gateway drains: a
// backend that does not answer is a state, which is listed, and other gateways would not reach it
// either. `gateway` outlives the server, whose Stop() comes after the gateway's, when all calls
// have ended. `metrics` as in http::ProcessPages. Errors: those of host::HttpSettingsFromFlags()
// and host::StartHttp(), FAILED_PRECONDITION (INSECURE_BIND); the gateway has then been stopped.
absl::StatusOr<std::unique_ptr<http::Server>> StartGatewayHttp(
    GatewayServer& gateway, std::function<std::string()> metrics);

}  // namespace rawgate::gateway
