// The server's side of TLS for Asio and OpenSSL: an SSL context made from files, and made anew when
// they change. For tls:// listeners and HTTP.
//
// Nothing is resumed (tls_context_source.h): each connection's certificate is verified anew, and a
// client that only writes has nothing to read.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/net/tls_context_source.h"
#include "runtime/net/tls_pem.h"

namespace rawgate::net {

// Thread-safe.
class TlsContext {
 public:
  // `alpn`: the protocols that may be agreed on (RFC 7301), the best first, such as "http/1.1". A
  // client that names only others is refused; one that names none is served. Empty: no word about
  // it. Errors: as TlsContextSource::Load().
  static absl::StatusOr<std::shared_ptr<TlsContext>> Load(
      TlsFiles files, const std::vector<std::string>& alpn = {});

  const TlsFiles& files() const { return files_; }

  // For a connection that begins now; connections that were made with an earlier one keep it. Looks
  // at the files at most once a second. Never null; used no longer than this object is.
  std::shared_ptr<boost::asio::ssl::context> Current() { return source_->Current(); }

 private:
  TlsContext(TlsFiles files, std::string alpn) : files_(std::move(files)), alpn_(std::move(alpn)) {}

  void SetUp(SSL_CTX* context) const;

  const TlsFiles files_;
  // As on the wire.
  const std::string alpn_;
  // Set by Load(), before anybody else has the object.
  std::unique_ptr<TlsContextSource> source_;
};

}  // namespace rawgate::net
