#include "runtime/http/byte_stream.h"

#include <ctime>
#include <utility>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <openssl/x509v3.h>

namespace rawgate::http {
namespace {

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(StreamSocket socket) : socket_(std::move(socket)) {}

  void Handshake(Done done) override {
    asio::post(socket_.get_executor(), [done = std::move(done)] { done({}, 0); });
  }
  void Describe(Client*) const override {}
  void Read(asio::mutable_buffer to, Done done) override {
    socket_.async_read_some(to, std::move(done));
  }
  void Write(asio::const_buffer from, Done done) override {
    socket_.async_write_some(from, std::move(done));
  }
  void EndWriting() override {
    error_code ignored;
    socket_.shutdown(StreamSocket::shutdown_send, ignored);
  }
  void Close() override {
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  StreamSocket socket_;
};

std::string CommonName(X509& certificate) {
  X509_NAME* const subject = X509_get_subject_name(&certificate);
  const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (index < 0) return {};
  unsigned char* text = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
  if (size < 0) return {};
  std::string name(reinterpret_cast<const char*>(text), static_cast<size_t>(size));
  OPENSSL_free(text);
  return name;
}

absl::Time Expiry(const X509& certificate) {
  tm expires{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &expires) != 1) return absl::InfinitePast();
  return absl::FromTM(expires, absl::UTCTimeZone());
}

std::vector<std::string> AlternativeUris(X509& certificate) {
  std::vector<std::string> uris;
  auto* const names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* const uri = name->d.uniformResourceIdentifier;
    uris.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                      static_cast<size_t>(ASN1_STRING_length(uri)));
  }
  GENERAL_NAMES_free(names);
  return uris;
}

class TlsStream final : public ByteStream {
 public:
  TlsStream(StreamSocket socket, std::shared_ptr<asio::ssl::context> context)
      : context_(std::move(context)), stream_(std::move(socket), *context_) {}

  void Handshake(Done done) override {
    stream_.async_handshake(asio::ssl::stream_base::server,
                            [done = std::move(done)](error_code error) { done(error, 0); });
  }

  void Describe(Client* client) const override {
    client->tls = true;
    // OpenSSL counts this reference as ours.
    auto* const tls = const_cast<asio::ssl::stream<StreamSocket>&>(stream_).native_handle();
    X509* const certificate = SSL_get_peer_certificate(tls);
    if (certificate == nullptr) return;
    if (SSL_get_verify_result(tls) == X509_V_OK) {
      client->certificate_name = CommonName(*certificate);
      client->certificate_uris = AlternativeUris(*certificate);
      client->certificate_expiry = Expiry(*certificate);
    }
    X509_free(certificate);
  }

  void Read(asio::mutable_buffer to, Done done) override {
    stream_.async_read_some(to, std::move(done));
  }
  void Write(asio::const_buffer from, Done done) override {
    stream_.async_write_some(from, std::move(done));
  }
  // Without TLS's own farewell: a client knows from the length or the last chunk that it has all.
  void EndWriting() override {
    error_code ignored;
    stream_.lowest_layer().shutdown(StreamSocket::shutdown_send, ignored);
  }
  void Close() override {
    error_code ignored;
    stream_.lowest_layer().close(ignored);
  }

 private:
  std::shared_ptr<asio::ssl::context> context_;
  asio::ssl::stream<StreamSocket> stream_;
};

}  // namespace

std::unique_ptr<ByteStream> MakePlainStream(StreamSocket socket) {
  return std::make_unique<PlainStream>(std::move(socket));
}

std::unique_ptr<ByteStream> MakeTlsStream(StreamSocket socket,
                                          std::shared_ptr<asio::ssl::context> context) {
  return std::make_unique<TlsStream>(std::move(socket), std::move(context));
}

}  // namespace rawgate::http
