// What the flags --tls_* and --rpc_tls say.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/net/tls_context.h"
#include "runtime/net/tls_pem.h"

namespace grpc {
class ServerCredentials;
}

namespace rawgate::host {

// From --tls_certificate, --tls_key, --tls_client_ca and --tls_client_certificates; given() is
// false without them. `client_certificates` is what one listener says instead of the last. Errors:
// INVALID_ARGUMENT (BAD_OPTION), as FieldError, for flags that do not go together.
absl::StatusOr<net::TlsFiles> TlsFilesFromFlags(
    std::optional<net::ClientCertificates> client_certificates = std::nullopt);

// Of a process's front door, which agrees on one of `alpn`; null without --tls_certificate. Errors:
// those above, and of files that are no good (FieldError).
absl::StatusOr<std::shared_ptr<net::TlsContext>> FrontTlsFromFlags(
    const std::vector<std::string>& alpn);

// Of a service's --rpc_listen: with --rpc_tls only the gateway, or whom --rpc_clients lists.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> RpcCredentialsFromFlags();

}  // namespace rawgate::host
