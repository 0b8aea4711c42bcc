#include "runtime/rpc/credentials.h"

#include <algorithm>

#include "grpcpp/security/auth_metadata_processor.h"
#include "grpcpp/security/tls_certificate_provider.h"
#include "grpcpp/security/tls_credentials_options.h"
#include "runtime/rpc/peer_certificate.h"
#include "runtime/rpc/pem_mirror.h"

namespace rawgate::rpc {
namespace {

// How often gRPC looks at the copies.
constexpr unsigned kRefreshSeconds = 1;
// Whether a process serves is no secret among those who have a certificate.
constexpr char kHealthCheck[] = "/grpc.health.v1.Health/Check";

std::shared_ptr<grpc::experimental::FileWatcherCertificateProvider> Watch(const PemMirror& mirror) {
  return std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
      mirror.identity_path(), mirror.identity_path(), mirror.client_ca_path(), kRefreshSeconds);
}

grpc_ssl_client_certificate_request_type ToGrpc(net::ClientCertificates asked) {
  switch (asked) {
    case net::ClientCertificates::kNone:
      return GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE;
    case net::ClientCertificates::kRequest:
      return GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY;
    case net::ClientCertificates::kRequire:
      break;
  }
  return GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
}

// Lets calls of listed clients pass. Asked for each call, of whatever method, before anything else
// of ours.
class ListedClients final : public grpc::AuthMetadataProcessor {
 public:
  explicit ListedClients(std::vector<std::string> listed) : listed_(std::move(listed)) {}

  bool IsBlocking() const override { return false; }

  grpc::Status Process(const InputMetadata& metadata, grpc::AuthContext* context, OutputMetadata*,
                       OutputMetadata*) override {
    // A connection that began while the certificate was good goes on, as the gateway's do for days
    // while its certificate is renewed; but a ticket of one is no reason to begin another.
    if (TlsSessionReused(*context) && PeerCertificateExpired(*context)) {
      return {grpc::StatusCode::PERMISSION_DENIED, "CLIENT_NOT_LISTED: the certificate expired"};
    }
    const auto path = metadata.find(":path");
    if (path != metadata.end() && path->second == kHealthCheck) return grpc::Status::OK;
    for (const grpc::string_ref& uri : context->FindPropertyValues(GRPC_PEER_URI_PROPERTY_NAME)) {
      if (std::find(listed_.begin(), listed_.end(), uri) != listed_.end()) return grpc::Status::OK;
    }
    // gRPC carries no details from here.
    return {grpc::StatusCode::PERMISSION_DENIED,
            "CLIENT_NOT_LISTED: the certificate has none of the URIs in --rpc_clients"};
  }

 private:
  const std::vector<std::string> listed_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> TlsServerCredentials(
    net::TlsFiles files, std::vector<std::string> clients) {
  if (!clients.empty()) files.client_certificates = net::ClientCertificates::kRequire;
  const absl::StatusOr<PemMirror*> mirror = PemMirror::For(files);
  if (!mirror.ok()) return mirror.status();
  grpc::experimental::TlsServerCredentialsOptions options(Watch(**mirror));
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(ToGrpc(files.client_certificates));
  if (!(*mirror)->client_ca_path().empty()) options.watch_root_certs();
  std::shared_ptr<grpc::ServerCredentials> credentials =
      grpc::experimental::TlsServerCredentials(options);
  if (!clients.empty()) {
    credentials->SetAuthMetadataProcessor(std::make_shared<ListedClients>(std::move(clients)));
  }
  return credentials;
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> TlsChannelCredentials(
    const std::string& server_ca, const net::TlsFiles& own) {
  const absl::StatusOr<PemMirror*> mirror =
      PemMirror::For({.certificate = own.certificate, .key = own.key, .client_ca = server_ca});
  if (!mirror.ok()) return mirror.status();
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(Watch(**mirror));
  options.watch_root_certs();
  if (own.given()) options.watch_identity_key_cert_pairs();
  return grpc::experimental::TlsCredentials(options);
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> SelfChannelCredentials(
    const net::TlsFiles& own) {
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_verify_server_certs(false);
  options.set_check_call_host(false);
  options.set_certificate_verifier(std::make_shared<grpc::experimental::NoOpCertificateVerifier>());
  if (own.given()) {
    const auto files = net::TlsPemFiles::Load({.certificate = own.certificate, .key = own.key});
    if (!files.ok()) return files.status();
    const auto pem = (*files)->Current();
    options.set_certificate_provider(
        std::make_shared<grpc::experimental::StaticDataCertificateProvider>(
            std::vector<grpc::experimental::IdentityKeyCertPair>{{pem->key, pem->certificate}}));
    options.watch_identity_key_cert_pairs();
  }
  return grpc::experimental::TlsCredentials(options);
}

}  // namespace rawgate::rpc
