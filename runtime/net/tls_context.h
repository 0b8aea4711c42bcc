// The server's side of TLS for Asio and OpenSSL: an SSL context made from files, and made anew when
// they change. For tls:// listeners and HTTP.
//
// TLS 1.2 and 1.3 with OpenSSL's own choice of ciphers; no compression, no renegotiation,
// and no resumption: each connection's certificate is verified anew, and a client that only writes
// has nothing to read.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "runtime/net/tls_pem.h"

// Who makes streams of it includes <boost/asio/ssl/context.hpp>.
namespace boost::asio::ssl {
class context;
}

namespace rawgate::net {

// Thread-safe.
class TlsContext {
 public:
  // `alpn`: the protocols that may be agreed on (RFC 7301), the best first, such as "http/1.1". A
  // client that names only others is refused; one that names none is served. Empty: no word about
  // it. Errors: as TlsPemFiles::Load().
  static absl::StatusOr<std::shared_ptr<TlsContext>> Load(
      TlsFiles files, const std::vector<std::string>& alpn = {});

  const TlsFiles& files() const { return files_; }

  // For a connection that begins now; connections that were made with an earlier one keep it. Looks
  // at the files at most once a second. Never null; used no longer than this object is.
  std::shared_ptr<boost::asio::ssl::context> Current();

 private:
  TlsContext(TlsFiles files, std::shared_ptr<TlsPemFiles> pem, std::string alpn)
      : files_(std::move(files)), pem_(std::move(pem)), alpn_(std::move(alpn)) {}

  // What was there before stays in case of an error.
  absl::Status MakeFrom(std::shared_ptr<const TlsPem> pem) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const TlsFiles files_;
  const std::shared_ptr<TlsPemFiles> pem_;
  // As on the wire: each with its length before it.
  const std::string alpn_;
  absl::Mutex mutex_;
  std::shared_ptr<const TlsPem> made_from_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<boost::asio::ssl::context> context_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rawgate::net
