#include "runtime/net/tls_context.h"

#include <boost/asio/ssl/context.hpp>
#include <openssl/ssl.h>

#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace rawgate::net {
namespace {

namespace ssl = boost::asio::ssl;

// Sessions of one server are not another's; OpenSSL wants a name where clients are verified.
constexpr unsigned char kSessionName[] = "rawgate";

int SelectProtocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                   const unsigned char* offered, unsigned offered_size, void* alpn) {
  const auto& ours = *static_cast<const std::string*>(alpn);
  unsigned char* found = nullptr;
  const int result = SSL_select_next_proto(
      &found, chosen_size, reinterpret_cast<const unsigned char*>(ours.data()),
      static_cast<unsigned>(ours.size()), offered, offered_size);
  if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

boost::system::error_code SetClientCertificates(const TlsFiles& files, const TlsPem& pem,
                                                ssl::context& context) {
  boost::system::error_code error;
  if (files.client_certificates == ClientCertificates::kNone || pem.client_ca.empty()) return error;
  SSL_CTX* const native = context.native_handle();
  context.add_certificate_authority(boost::asio::buffer(pem.client_ca), error);
  const bool require = files.client_certificates == ClientCertificates::kRequire;
  SSL_CTX_set_verify(native, SSL_VERIFY_PEER | (require ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                     nullptr);
  return error;
}

// An error not for what CheckTlsPem() refuses, but for a key that OpenSSL's policy forbids, being
// too short.
absl::StatusOr<std::shared_ptr<ssl::context>> Make(const TlsFiles& files, const TlsPem& pem,
                                                   const std::string& alpn) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* const native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
  // An idle connection then has no buffer of its own for records.
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                               SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // No session is resumed: a table of sessions would be one that clients fill, and a ticket would
  // lie unread with a client that writes and closes, which makes of its FIN a reset that loses
  // data.
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_session_id_context(native, kSessionName, sizeof(kSessionName) - 1);
  SSL_CTX_set_num_tickets(native, 0);
  boost::system::error_code error;
  context->use_certificate_chain(boost::asio::buffer(pem.certificate), error);
  if (!error) context->use_private_key(boost::asio::buffer(pem.key), ssl::context::pem, error);
  if (!error) error = SetClientCertificates(files, pem, *context);
  if (error) {
    return Error(absl::StatusCode::kInvalidArgument, "BAD_CERTIFICATE",
                 absl::StrCat(files.certificate, ": ", error.message()));
  }
  if (!alpn.empty()) {
    SSL_CTX_set_alpn_select_cb(native, SelectProtocol, const_cast<std::string*>(&alpn));
  }
  return context;
}

}  // namespace

absl::StatusOr<std::shared_ptr<TlsContext>> TlsContext::Load(TlsFiles files,
                                                             const std::vector<std::string>& alpn) {
  absl::StatusOr<std::shared_ptr<TlsPemFiles>> pem = TlsPemFiles::Load(files);
  if (!pem.ok()) return pem.status();
  std::string wire;
  for (const std::string& protocol : alpn) {
    absl::StrAppend(&wire, std::string(1, static_cast<char>(protocol.size())), protocol);
  }
  std::shared_ptr<TlsContext> loaded(
      new TlsContext(std::move(files), *std::move(pem), std::move(wire)));
  absl::MutexLock lock(&loaded->mutex_);
  if (absl::Status made = loaded->MakeFrom(loaded->pem_->Current()); !made.ok()) return made;
  return loaded;
}

absl::Status TlsContext::MakeFrom(std::shared_ptr<const TlsPem> pem) {
  auto context = Make(files_, *pem, alpn_);
  made_from_ = std::move(pem);
  if (!context.ok()) return context.status();
  context_ = *std::move(context);
  return absl::OkStatus();
}

std::shared_ptr<ssl::context> TlsContext::Current() {
  std::shared_ptr<const TlsPem> pem = pem_->Current();
  absl::MutexLock lock(&mutex_);
  if (pem == made_from_) return context_;
  if (absl::Status made = MakeFrom(std::move(pem)); !made.ok()) {
    spdlog::error("TLS: {}; what was there before stays in use", std::string(made.message()));
  }
  return context_;
}

}  // namespace rawgate::net
