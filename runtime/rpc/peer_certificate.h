// Whether the certificate of a connection's other end is still good.
//
// TLS looks at a certificate's dates once, in a full handshake. The connection may outlive them,
// and so may its session: gRPC 1.51 gives tickets whatever it asks of clients, with which a client
// connects again and again without a look at his certificate (RFC 8446 section 4.6.1).
#pragma once

#include "grpcpp/security/auth_context.h"

namespace rawgate::rpc {

// The peer's certificate has expired, or cannot be read. False where it has shown none.
// Thread-safe, and cheap enough to be asked for each call: what was parsed is remembered.
bool PeerCertificateExpired(const grpc::AuthContext& context);

// The connection began with a ticket of an earlier one rather than with a full handshake.
bool TlsSessionReused(const grpc::AuthContext& context);

}  // namespace rawgate::rpc
