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
                   const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  if (listen.family() != AF_UNIX && listen.port() == 0) {
    return FieldError(flag, "BAD_LISTEN",
                      absl::StrCat("--", flag, ": port 0 does not say where to ask"));
  }
  return rpc::CheckHealth(TargetOf(listen), credentials, absl::GetFlag(FLAGS_healthcheck_timeout));
}

}  // namespace

absl::Status CheckServiceHealth(const net::Endpoint& rpc_listen) {
  if (!absl::GetFlag(FLAGS_rpc_tls))
    return Check(rpc_listen, "rpc_listen", grpc::InsecureChannelCredentials());
  const absl::StatusOr<net::TlsFiles> files = TlsFilesFromFlags();
  if (!files.ok()) return files.status();
  const auto credentials = rpc::SelfChannelCredentials(*files);
  return credentials.ok() ? Check(rpc_listen, "rpc_listen", *credentials) : credentials.status();
}

absl::Status CheckFrontDoorHealth(const net::Endpoint& listen) {
  absl::StatusOr<net::TlsFiles> files = TlsFilesFromFlags();
  if (!files.ok()) return files.status();
  if (!files->given()) return Check(listen, "listen", grpc::InsecureChannelCredentials());
  // Whoever presents one that he need not is turned away when it is not good.
  if (files->client_certificates != net::ClientCertificates::kRequire) *files = {};
  const auto credentials = rpc::SelfChannelCredentials(*files);
  return credentials.ok() ? Check(listen, "listen", *credentials) : credentials.status();
}

}  // namespace rawgate::host
