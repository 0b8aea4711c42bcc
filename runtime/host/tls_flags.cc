#include "runtime/host/tls_flags.h"

#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "grpcpp/security/server_credentials.h"
#include "runtime/base/status.h"
#include "runtime/host/flags.h"
#include "runtime/rpc/credentials.h"

namespace rawgate::host {
namespace {

absl::Status Refuse(absl::string_view flag, absl::string_view why) {
  return FieldError(flag, "BAD_OPTION", absl::StrCat("--", flag, ": ", why));
}

// What is wrong with files is a flag's fault when they are first read.
template <typename T>
absl::StatusOr<T> AsFlagError(absl::StatusOr<T> loaded) {
  if (loaded.ok()) return loaded;
  return Refuse("tls_certificate", loaded.status().message());
}

}  // namespace

absl::StatusOr<net::TlsFiles> TlsFilesFromFlags(
    std::optional<net::ClientCertificates> client_certificates) {
  net::TlsFiles files{.certificate = absl::GetFlag(FLAGS_tls_certificate),
                      .key = absl::GetFlag(FLAGS_tls_key),
                      .client_ca = absl::GetFlag(FLAGS_tls_client_ca)};
  if (files.certificate.empty() != files.key.empty()) {
    return Refuse(files.key.empty() ? "tls_key" : "tls_certificate",
                  "a certificate and its key are given together");
  }
  files.client_certificates =
      files.client_ca.empty() ? net::ClientCertificates::kNone : net::ClientCertificates::kRequest;
  std::string error;
  const std::string asked = absl::GetFlag(FLAGS_tls_client_certificates);
  if (client_certificates) {
    files.client_certificates = *client_certificates;
  } else if (!asked.empty() && !net::AbslParseFlag(asked, &files.client_certificates, &error)) {
    return Refuse("tls_client_certificates", error);
  }
  if (files.client_certificates != net::ClientCertificates::kNone && files.client_ca.empty()) {
    return Refuse("tls_client_ca", "is needed where client certificates are asked for");
  }
  return files;
}

absl::StatusOr<std::shared_ptr<net::TlsContext>> FrontTlsFromFlags(
    const std::vector<std::string>& alpn) {
  const absl::StatusOr<net::TlsFiles> files = TlsFilesFromFlags();
  if (!files.ok()) return files.status();
  if (!files->given()) return nullptr;
  return AsFlagError(net::TlsContext::Load(*files, alpn));
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> RpcCredentialsFromFlags() {
  if (!absl::GetFlag(FLAGS_rpc_tls)) return grpc::InsecureServerCredentials();
  if (absl::GetFlag(FLAGS_rpc_clients).empty()) {
    return Refuse("rpc_clients", "names nobody who may call");
  }
  const absl::StatusOr<net::TlsFiles> files = TlsFilesFromFlags(net::ClientCertificates::kRequire);
  if (!files.ok()) return files.status();
  if (!files->given()) return Refuse("rpc_tls", "needs --tls_certificate and --tls_key");
  return AsFlagError(rpc::TlsServerCredentials(*files, absl::GetFlag(FLAGS_rpc_clients)));
}

}  // namespace rawgate::host
