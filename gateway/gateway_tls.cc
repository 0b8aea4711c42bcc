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
  auto front = host::FrontTlsFromFlags({"h2"});
  if (!front.ok()) return front.status();
  options.tls = *std::move(front);
  const absl::StatusOr<net::TlsFiles> own = host::TlsFilesFromFlags();
  if (!own.ok()) return own.status();
  const std::string ca = absl::GetFlag(FLAGS_backend_tls_ca);
  if (ca.empty()) return absl::OkStatus();
  auto control = rpc::TlsChannelCredentials(ca, *own);
  auto forwarding = net::TlsClientContext::Load(ca, *own, {"h2"});
  for (const absl::Status& status : {control.status(), forwarding.status()}) {
    if (status.ok()) continue;
    return FieldError("backend_tls_ca", "BAD_OPTION",
                      absl::StrCat("--backend_tls_ca: ", status.message()));
  }
  options.reach.credentials = *std::move(control);
  options.reach.tls = *std::move(forwarding);
  return absl::OkStatus();
}

}  // namespace rawgate::gateway
