#include "gateway/gateway_tls.h"

#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/host/tls_flags.h"
#include "runtime/rpc/credentials.h"

ABSL_FLAG(
    std::string, backend_tls_ca, "",
    "PEM file with the authorities of services that run with --rpc_tls. Every backend is then "
    "spoken to by TLS, its certificate must be for the target's host name, and the gateway "
    "presents its own, that of --tls_certificate.");

namespace rawgate::gateway {

absl::Status AddTlsFromFlags(GatewayServer::Options& options) {
  auto front = host::FrontCredentialsFromFlags();
  if (!front.ok()) return front.status();
  options.credentials = *std::move(front);
  const absl::StatusOr<net::TlsFiles> own = host::TlsFilesFromFlags();
  if (!own.ok()) return own.status();
  options.tls = own->given();
  const std::string ca = absl::GetFlag(FLAGS_backend_tls_ca);
  if (ca.empty()) return absl::OkStatus();
  auto backends = rpc::TlsChannelCredentials(ca, *own);
  if (!backends.ok()) {
    return FieldError("backend_tls_ca", "BAD_OPTION",
                      absl::StrCat("--backend_tls_ca: ", backends.status().message()));
  }
  options.reach.credentials = *std::move(backends);
  return absl::OkStatus();
}

}  // namespace rawgate::gateway
