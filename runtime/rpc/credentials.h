// gRPC's credentials from the same files that TLS listeners use (runtime/net/tls_pem.h), which may
// be replaced while the process runs: a connection that begins has what they held two seconds ago.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "runtime/net/tls_pem.h"

namespace rawgate::rpc {

// For a server's port. With `clients` every call, of whatever method, must come from a client whose
// certificate has one of these as a URI in its subject alternative names, but for Health/Check,
// which every client with a certificate may call, the server itself among them: others get
// PERMISSION_DENIED (CLIENT_NOT_LISTED), as does one who resumes a session with a certificate that
// has expired since; files.client_certificates is kRequire then. Empty: the certificate is the
// business of who serves the call, in its AuthContext. (The reason is in the message: gRPC carries
// no details from so early.) Errors: as TlsPemFiles::Load().
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> TlsServerCredentials(
    net::TlsFiles files, std::vector<std::string> clients = {});

// For a channel: the server's certificate must be signed by an authority in `server_ca` (a PEM
// file) and be for the target's host name; ours is presented when `own` names one. Errors: as
// TlsPemFiles::Load().
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> TlsChannelCredentials(
    const std::string& server_ca, const net::TlsFiles& own);

// For a channel from a process to itself, at an address of its own: presents `own` when it names a
// certificate, and takes whatever the server has. Errors: as TlsPemFiles::Load().
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> SelfChannelCredentials(
    const net::TlsFiles& own);

}  // namespace rawgate::rpc
