#include "runtime/net/tls_client_context.h"

#include <boost/asio/ssl/context.hpp>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "absl/strings/strip.h"

namespace rawgate::net {
namespace {

bool ExpectName(SSL* ssl, const std::string& host) {
  // The dot that ends an absolute name is neither in certificates nor in SNI.
  const std::string name(absl::StripSuffix(host, "."));
  // OpenSSL takes an empty name for the wish to verify none.
  if (name.empty()) return false;
  X509_VERIFY_PARAM* const expected = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return X509_VERIFY_PARAM_set1_host(expected, name.data(), name.size()) == 1 &&
         SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;
}

bool Expect(SSL* ssl, const std::string& host) {
  if (host.find('\0') != std::string::npos) return false;
  const std::string address = host.substr(0, host.find('%'));
  return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), address.c_str()) == 1 ||
         ExpectName(ssl, host);
}

}  // namespace

absl::StatusOr<std::shared_ptr<TlsClientContext>> TlsClientContext::Load(
    const std::string& ca_file, const TlsFiles& own, const std::vector<std::string>& alpn) {
  const auto set_up = [wire = AlpnOf(alpn)](SSL_CTX* context) {
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(wire.data()),
                            static_cast<unsigned>(wire.size()));
  };
  auto source = TlsContextSource::Load({.certificate = own.certificate,
                                        .key = own.key,
                                        .client_ca = ca_file,
                                        .client_certificates = ClientCertificates::kRequire},
                                       TlsContextSource::Side::kClient, set_up);
  if (!source.ok()) return source.status();
  return std::shared_ptr<TlsClientContext>(new TlsClientContext(*std::move(source)));
}

TlsClientContext::OwnedSsl TlsClientContext::NewSsl(const std::string& host) {
  OwnedSsl ssl(SSL_new(source_->Current()->native_handle()), SSL_free);
  if (ssl == nullptr || !Expect(ssl.get(), host)) return {nullptr, SSL_free};
  SSL_set_connect_state(ssl.get());
  return ssl;
}

}  // namespace rawgate::net
