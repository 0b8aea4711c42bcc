// What `rawgate-<x> healthcheck` does: asks the process that runs with the same settings, on this
// machine or in this container, whether it serves. For container engines, which have no other tool
// there; they restart, or do not yet send anybody to, what says no.
#pragma once

#include "absl/status/status.h"
#include "runtime/net/endpoint.h"

namespace rawgate::host {

// A service at its --rpc_listen, and the gateway at the first address of --listen; where that is
// all addresses, on loopback. Under TLS the certificate that is presented is the process's own,
// where one is asked for, and the one that is met is not verified: who answers at an address of
// this machine is who was started there. Errors: as rpc::CheckHealth(), within
// --healthcheck_timeout; INVALID_ARGUMENT (BAD_LISTEN), as FieldError, for port 0; and of flags and
// files.
absl::Status CheckServiceHealth(const net::Endpoint& rpc_listen);
absl::Status CheckFrontDoorHealth(const net::Endpoint& listen);

}  // namespace rawgate::host
