#include "runtime/net/tls_context_source.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>
#include <openssl/ssl.h>

#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace rawgate::net {
namespace {

namespace ssl = boost::asio::ssl;
using boost::asio::buffer;

void Harden(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
  // An idle connection then has no buffer of its own for records.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // No session is resumed: a table of sessions would be one that peers fill.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

boost::system::error_code Present(const TlsPem& pem, ssl::context& context) {
  boost::system::error_code error;
  if (pem.certificate.empty()) return error;
  context.use_certificate_chain(buffer(pem.certificate), error);
  if (!error) context.use_private_key(buffer(pem.key), ssl::context::pem, error);
  return error;
}

// Without an authority no certificate passes, rather than every one.
boost::system::error_code Verify(ClientCertificates asked, const TlsPem& pem,
                                 ssl::context& context) {
  boost::system::error_code error;
  if (asked == ClientCertificates::kNone) return error;
  if (!pem.client_ca.empty()) context.add_certificate_authority(buffer(pem.client_ca), error);
  const bool require = asked == ClientCertificates::kRequire;
  SSL_CTX_set_verify(context.native_handle(),
                     SSL_VERIFY_PEER | (require ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  return error;
}

}  // namespace

std::string AlpnOf(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const std::string& protocol : protocols) {
    absl::StrAppend(&wire, std::string(1, static_cast<char>(protocol.size())), protocol);
  }
  return wire;
}

absl::StatusOr<std::unique_ptr<TlsContextSource>> TlsContextSource::Load(TlsFiles files, Side side,
                                                                         SetUp set_up) {
  absl::StatusOr<std::shared_ptr<TlsPemFiles>> pem = TlsPemFiles::Load(files);
  if (!pem.ok()) return pem.status();
  std::unique_ptr<TlsContextSource> loaded(
      new TlsContextSource(std::move(files), *std::move(pem), side, std::move(set_up)));
  absl::MutexLock lock(&loaded->mutex_);
  if (absl::Status made = loaded->MakeFrom(loaded->pem_->Current()); !made.ok()) return made;
  return loaded;
}

// An error not for what CheckTlsPem() refuses, but for a key that OpenSSL's policy forbids, being
// too short.
absl::StatusOr<std::shared_ptr<ssl::context>> TlsContextSource::Make(const TlsPem& pem) const {
  auto context = std::make_shared<ssl::context>(side_ == Side::kServer ? ssl::context::tls_server
                                                                       : ssl::context::tls_client);
  Harden(context->native_handle());
  boost::system::error_code error = Present(pem, *context);
  if (!error) error = Verify(files_.client_certificates, pem, *context);
  if (error) {
    return Error(absl::StatusCode::kInvalidArgument, "BAD_CERTIFICATE",
                 absl::StrCat(files_.name(), ": ", error.message()));
  }
  set_up_(context->native_handle());
  return context;
}

absl::Status TlsContextSource::MakeFrom(std::shared_ptr<const TlsPem> pem) {
  auto context = Make(*pem);
  made_from_ = std::move(pem);
  if (!context.ok()) return context.status();
  context_ = *std::move(context);
  return absl::OkStatus();
}

std::shared_ptr<ssl::context> TlsContextSource::Current() {
  std::shared_ptr<const TlsPem> pem = pem_->Current();
  absl::MutexLock lock(&mutex_);
  if (pem == made_from_) return context_;
  if (absl::Status made = MakeFrom(std::move(pem)); !made.ok()) {
    spdlog::error("TLS: {}; what was there before stays in use", std::string(made.message()));
  }
  return context_;
}

}  // namespace rawgate::net
