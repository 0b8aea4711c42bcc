// A TCP connection whose one side has vanished.
#pragma once

#include "absl/status/statusor.h"
#include "cli/lab/own_peer.h"

namespace rawgate::cli::lab {

// As ConnectedPair(), but the service's side is deaf (GoDeaf()). Kernels that let root alone do
// that to TCP are asked from within a user and a network namespace made for it, which the two
// sockets then belong to. Errors: PERMISSION_DENIED (DEAF_NOT_PERMITTED) where there is neither,
// ErrnoError().
absl::StatusOr<Pair> DeafPair();

}  // namespace rawgate::cli::lab
