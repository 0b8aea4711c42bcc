#include "runtime/net/tls_context.h"

#include <openssl/ssl.h>

namespace rawgate::net {
namespace {

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

}  // namespace

absl::StatusOr<std::shared_ptr<TlsContext>> TlsContext::Load(TlsFiles files,
                                                             const std::vector<std::string>& alpn) {
  std::shared_ptr<TlsContext> loaded(new TlsContext(std::move(files), AlpnOf(alpn)));
  auto source = TlsContextSource::Load(loaded->files_, TlsContextSource::Side::kServer,
                                       [self = loaded.get()](SSL_CTX* made) { self->SetUp(made); });
  if (!source.ok()) return source.status();
  loaded->source_ = *std::move(source);
  return loaded;
}

void TlsContext::SetUp(SSL_CTX* context) const {
  SSL_CTX_set_session_id_context(context, kSessionName, sizeof(kSessionName) - 1);
  // A ticket would lie unread with a client that writes and closes, which makes of its FIN a reset
  // that loses data.
  SSL_CTX_set_num_tickets(context, 0);
  if (!alpn_.empty()) {
    SSL_CTX_set_alpn_select_cb(context, SelectProtocol, const_cast<std::string*>(&alpn_));
  }
}

}  // namespace rawgate::net
