// Puts an Http2Guard before every connection that the gateway accepts, between the decryption and
// gRPC's parser, where gRPC has no place for one. It is done by defining functions of gRPC's own
// that libgrpc.so calls through its linkage table, so that the dynamic linker prefers ours, which
// then call gRPC's. They belong to no public interface: this is for the version that CMakeLists.txt
// asks for, whose successors (1.57 and later) have bounds of their own.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "runtime/observe/counters.h"

namespace rawgate::gateway {

// Of one connection, written by whichever of gRPC's threads reads from it.
struct ClientTraffic {
  observe::Counter calls;
  // HTTP/2, without what TLS adds.
  observe::Counter bytes_received;
};

// Whether libgrpc is one that this works with. Errors: FAILED_PRECONDITION (UNGUARDED).
absl::Status CheckTransportGuard();

// The next server transport on this descriptor is guarded, and counted in `traffic`. To be called
// before gRPC is given the descriptor. Any thread.
void GuardTransport(int fd, std::shared_ptr<ClientTraffic> traffic);
// When gRPC closed the descriptor before it made a transport of it, as where a handshake failed.
void ForgetTransport(int fd, const ClientTraffic& traffic);

}  // namespace rawgate::gateway
