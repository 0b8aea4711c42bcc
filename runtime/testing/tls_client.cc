#include "runtime/testing/tls_client.h"

#include <signal.h>

#include <algorithm>

#include <openssl/err.h>
#include <openssl/pem.h>

namespace rawgate::testing {
namespace {

template <typename Use>
void WithBio(const std::string& pem, Use use) {
  BIO* const bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  use(bio);
  BIO_free(bio);
}

}  // namespace

TlsClient::TlsClient(const std::string& uri, const Options& options)
    : TlsClient(RawClient(uri), options) {}

TlsClient::TlsClient(RawClient raw, const Options& options) : raw_(std::move(raw)) {
  // OpenSSL writes to sockets as to any file.
  ::signal(SIGPIPE, SIG_IGN);
  context_ = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
  WithBio(options.ca, [&](BIO* bio) {
    X509* const ca = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    if (ca != nullptr) X509_STORE_add_cert(SSL_CTX_get_cert_store(context_), ca);
    X509_free(ca);
  });
  WithBio(options.own.certificate, [&](BIO* bio) {
    X509* const own = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    if (own != nullptr) SSL_CTX_use_certificate(context_, own);
    X509_free(own);
  });
  WithBio(options.own.key, [&](BIO* bio) {
    EVP_PKEY* const key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    if (key != nullptr) SSL_CTX_use_PrivateKey(context_, key);
    EVP_PKEY_free(key);
  });
  if (options.version != 0) {
    SSL_CTX_set_security_level(context_, 0);
    SSL_CTX_set_min_proto_version(context_, options.version);
    SSL_CTX_set_max_proto_version(context_, options.version);
  }
  Shake(options);
}

TlsClient::~TlsClient() {
  SSL_free(ssl_);
  SSL_CTX_free(context_);
}

void TlsClient::Shake(const Options& options) {
  ssl_ = SSL_new(context_);
  SSL_set_fd(ssl_, raw_.fd());
  SSL_set_session(ssl_, options.session);
  if (!options.alpn.empty()) {
    SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(options.alpn.data()),
                        static_cast<unsigned>(options.alpn.size()));
  }
  ERR_clear_error();
  const int result = SSL_connect(ssl_);
  ok_ = result == 1;
  Note(result);
}

void TlsClient::Note(int result) {
  if (result == 1) return;
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  error_ = reason == nullptr ? "closed" : reason;
}

bool TlsClient::Send(absl::string_view bytes) {
  size_t n = 0;
  ERR_clear_error();
  const int result = SSL_write_ex(ssl_, bytes.data(), bytes.size(), &n);
  Note(result);
  return result == 1;
}

std::string TlsClient::ReadExactly(size_t size) {
  std::string all(size, '\0');
  size_t filled = 0;
  while (filled < size) {
    size_t n = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_, all.data() + filled, size - filled, &n);
    Note(result);
    if (result != 1) break;
    filled += n;
  }
  all.resize(filled);
  return all;
}

std::string TlsClient::ReadToEnd() {
  std::string all;
  for (;;) {
    const std::string some = ReadExactly(1);
    if (some.empty()) return all;
    all += some;
    if (const int pending = SSL_pending(ssl_); pending > 0) {
      all += ReadExactly(static_cast<size_t>(pending));
    }
  }
}

bool TlsClient::ended_well() const { return (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0; }

void TlsClient::HalfClose() { SSL_shutdown(ssl_); }

}  // namespace rawgate::testing
