// The gateway's own flags; those that all processes share are in runtime/host/flags.h.
#pragma once

#include <string>

#include "absl/flags/declare.h"
#include "absl/status/statusor.h"
#include "gateway/gateway_server.h"
#include "runtime/host/process.h"

ABSL_DECLARE_FLAG(std::string, admin_listen);

namespace rawgate::gateway {

// Errors: those of --listen and --backends, and INSECURE_BIND.
absl::StatusOr<GatewayServer::Options> OptionsFromFlags(const host::Process& process);

}  // namespace rawgate::gateway
