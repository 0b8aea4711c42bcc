#include "runtime/host/healthcheck.h"

#include <memory>
#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "runtime/base/status.h"
#include "runtime/host/flags.h"
#include "runtime/host/tls_flags.h"
#include "runtime/net/tls_pem.h"
#include "runtime/rpc/credentials.h"
#include "runtime/rpc/health_check.h"
#include "runtime/rpc/server.h"

namespace rawgate::host {
namespace {

std::string TargetOf(const net::Endpoint& listen) {
  const std::string address = rpc::GrpcAddress(listen);
  absl::string_view port = address;
  if (absl::ConsumePrefix(&port, "0.0.0.0:")) return absl::StrCat("127.0.0.1:", port);
  if (absl::ConsumePrefix(&port, "[::]:")) return absl::StrCat("[::1]:", port);
  return address;
}

absl::Status Check(const net::Endpoint& listen, absl::string_view flag,
                   const std::shared_ptr<grpc::ChannelCredentials>& credentials,
                   const std::string& host) {
  if (listen.family() != AF_UNIX && listen.port() == 0) {
    return FieldError(flag, "BAD_LISTEN",
                      absl::StrCat("--", flag, ": port 0 does not say where to ask"));
  }
  return rpc::CheckHealth(TargetOf(listen), credentials, host,
                          absl::GetFlag(FLAGS_healthcheck_timeout));
}

absl::Status CheckPlain(const net::Endpoint& listen, absl::string_view flag) {
  return Check(listen, flag, grpc::InsecureChannelCredentials(), "");
}

// Presents the certificate of `files` if `present`.
absl::Status CheckOverTls(const net::Endpoint& listen, absl::string_view flag,
                          const net::TlsFiles& files, bool present) {
  const auto loaded = net::TlsPemFiles::Load({.certificate = files.certificate, .key = files.key});
  if (!loaded.ok()) return loaded.status();
  const auto credentials = rpc::SelfChannelCredentials(present ? files : net::TlsFiles());
  if (!credentials.ok()) return credentials.status();
  // By a name of its own, or the process would log one that it has no certificate for.
  return Check(listen, flag, *credentials, net::TlsHost(*(*loaded)->Current()));
}

}  // namespace

absl::Status CheckServiceHealth(const net::Endpoint& rpc_listen) {
  if (!absl::GetFlag(FLAGS_rpc_tls)) return CheckPlain(rpc_listen, "rpc_listen");
  const absl::StatusOr<net::TlsFiles> files = TlsFilesFromFlags();
  if (!files.ok()) return files.status();
  return CheckOverTls(rpc_listen, "rpc_listen", *files, true);
}

absl::Status CheckFrontDoorHealth(const net::Endpoint& listen) {
  const absl::StatusOr<net::TlsFiles> files = TlsFilesFromFlags();
  if (!files.ok()) return files.status();
  if (!files->given()) return CheckPlain(listen, "listen");
  // Whoever presents one that he need not is turned away when it is not good.
  return CheckOverTls(listen, "listen", *files,
                      files->client_certificates == net::ClientCertificates::kRequire);
}

}  // namespace rawgate::host
