// The gateway's HTTP server: the pages of every process, and the Connect protocol.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "gateway/gateway_server.h"
#include "runtime/host/http_flags.h"
#include "runtime/http/server.h"

namespace rawgate::gateway {

// As `settings` say; null without an address. /readyz says 200 until the gateway drains: a backend
// that does not answer is a state, which is listed, and other gateways would not reach it either.
// `gateway` outlives the server, whose Stop() comes after the gateway's, when all calls have ended.
// `metrics` as in http::ProcessPages. Errors: those of http::Server::Start().
absl::StatusOr<std::unique_ptr<http::Server>> StartGatewayHttp(
    GatewayServer& gateway, host::HttpSettings settings, std::function<std::string()> metrics);

}  // namespace rawgate::gateway
