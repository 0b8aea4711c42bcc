// A blocking TLS client with OpenSSL's own calls, for tests. Every wait ends after kPatience.
#pragma once

#include <memory>
#include <string>

#include <openssl/ssl.h>

#include "absl/strings/string_view.h"
#include "runtime/testing/raw_client.h"
#include "runtime/testing/test_certificates.h"

namespace rawgate::testing {

class TlsClient {
 public:
  struct Options {
    // PEM of the authority that the server's certificate must be signed by.
    std::string ca;
    // Presented when it is asked for.
    TestIdentity own = {};
    // TLS1_2_VERSION and the like; 0: any.
    int version = 0;
    // As on the wire, each with its length before it.
    std::string alpn = {};
    // A session to resume.
    SSL_SESSION* session = nullptr;
  };

  // Connects to a tcp:// or tls:// address and shakes hands; see ok().
  TlsClient(const std::string& uri, const Options& options);
  // The same over a connection that is there.
  TlsClient(RawClient raw, const Options& options);
  ~TlsClient();

  // The handshake was successful: under TLS 1.3 the server may refuse our certificate later.
  bool ok() const { return ok_; }
  const std::string& error() const { return error_; }
  RawClient& raw() { return raw_; }
  SSL* ssl() { return ssl_; }

  bool Send(absl::string_view bytes);
  // Exactly `size` bytes, or fewer when the stream ends first.
  std::string ReadExactly(size_t size);
  // Everything until close_notify; see ended_well().
  std::string ReadToEnd();
  // The last read ended by close_notify.
  bool ended_well() const;
  // Ends our direction by close_notify, not by FIN.
  void HalfClose();

 private:
  void Shake(const Options& options);
  void Note(int result);

  RawClient raw_;
  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
  bool ok_ = false;
  std::string error_;
};

}  // namespace rawgate::testing
