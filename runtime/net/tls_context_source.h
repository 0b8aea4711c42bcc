// Where both sides of TLS have their OpenSSL contexts from: they are made from files, and made anew
// when these change. What servers (tls_context.h) and clients (tls_client_context.h) have in common
// is set here.
//
// TLS 1.2 and 1.3 with OpenSSL's own choice of ciphers; no compression, no renegotiation, and no
// resumption.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <openssl/types.h>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "runtime/net/tls_pem.h"

// Who makes streams of it includes <boost/asio/ssl/context.hpp>.
namespace boost::asio::ssl {
class context;
}

namespace rawgate::net {

// Protocols as ALPN has them on the wire (RFC 7301 section 3.1): each, of 1 to 255 bytes, with its
// length before it.
std::string AlpnOf(const std::vector<std::string>& protocols);

// Thread-safe.
class TlsContextSource {
 public:
  enum class Side : uint8_t { kServer, kClient };
  // Sets what the side has for itself, of every context that is made, on the thread that asked for
  // it. Kept as long as the source.
  using SetUp = std::function<void(SSL_CTX*)>;

  // `files.client_certificates` of a client says what it asks of servers: they are verified unless
  // it is kNone. Errors: as TlsPemFiles::Load(), and INVALID_ARGUMENT (BAD_CERTIFICATE) for what
  // OpenSSL's policy forbids, such as a key that is too short.
  static absl::StatusOr<std::unique_ptr<TlsContextSource>> Load(TlsFiles files, Side side,
                                                                SetUp set_up);

  // For a connection that begins now; connections that were made with an earlier one keep it. Looks
  // at the files at most once a second; those that are no good change nothing but the log. Never
  // null.
  std::shared_ptr<boost::asio::ssl::context> Current();

 private:
  TlsContextSource(TlsFiles files, std::shared_ptr<TlsPemFiles> pem, Side side, SetUp set_up)
      : files_(std::move(files)), pem_(std::move(pem)), side_(side), set_up_(std::move(set_up)) {}

  absl::StatusOr<std::shared_ptr<boost::asio::ssl::context>> Make(const TlsPem& pem) const;
  // What was there before stays in case of an error.
  absl::Status MakeFrom(std::shared_ptr<const TlsPem> pem) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const TlsFiles files_;
  // Everybody else's who names the same files.
  const std::shared_ptr<TlsPemFiles> pem_;
  const Side side_;
  const SetUp set_up_;
  absl::Mutex mutex_;
  std::shared_ptr<const TlsPem> made_from_ ABSL_GUARDED_BY(mutex_);
  // The connections' that it was given to.
  std::shared_ptr<boost::asio::ssl::context> context_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rawgate::net
