#include "gateway/gateway_access.h"

#include <string>

#include "absl/flags/flag.h"
#include "runtime/base/log.h"
#include "runtime/host/flags.h"
#include "runtime/host/process.h"

ABSL_FLAG(
    std::string, access_file, "",
    "File that says who may call what, read again when it changes: users with roles, tokens' "
    "digests and certificates' names; `rawgate init-tls DIR` makes one. Empty: whoever reaches "
    "the gateway may do everything.");

namespace rawgate::gateway {

absl::Status CheckExposure(const net::Endpoint& address) {
  const bool guarded =
      !absl::GetFlag(FLAGS_access_file).empty() && !absl::GetFlag(FLAGS_tls_certificate).empty();
  return host::CheckBind(
      address, guarded,
      "or both --tls_certificate (with --tls_key) and --access_file, which `rawgate init-tls DIR` "
      "makes");
}

absl::Status AddAccessFromFlags(GatewayServer::Options& options) {
  options.access_file = absl::GetFlag(FLAGS_access_file);
  for (const net::Endpoint& address : options.addresses) {
    if (absl::Status allowed = CheckExposure(address); !allowed.ok()) return allowed;
  }
  return absl::OkStatus();
}

void LogExposure(const GatewayServer& gateway) {
  for (const std::string& uri : gateway.uris()) {
    if (gateway.users() == 0) {
      spdlog::info("{}: open to whoever reaches it, who may do everything (no --access_file)", uri);
    } else {
      spdlog::info("{}: open to {} {}", uri, gateway.users(),
                   gateway.users() == 1 ? "user" : "users");
    }
  }
}

}  // namespace rawgate::gateway
