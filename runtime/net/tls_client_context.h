// The client's side of TLS for OpenSSL, made from files and made anew when they change. For
// connections to services that run with --rpc_tls.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <openssl/types.h>

#include "absl/status/statusor.h"
#include "runtime/net/tls_context_source.h"
#include "runtime/net/tls_pem.h"

namespace rawgate::net {

// Thread-safe.
class TlsClientContext {
 public:
  using OwnedSsl = std::unique_ptr<SSL, void (*)(SSL*)>;

  // `ca_file`: PEM file with the authorities of servers. `own`: what is presented to a server that
  // asks; its authorities are not looked at. `alpn`: the protocols that are offered (RFC 7301), the
  // best first; which of them a server took, if any, SSL_get0_alpn_selected() tells. Errors: as
  // TlsContextSource::Load(), which are those of rpc::TlsChannelCredentials().
  static absl::StatusOr<std::shared_ptr<TlsClientContext>> Load(
      const std::string& ca_file, const TlsFiles& own, const std::vector<std::string>& alpn);

  // For a connection that begins now, by the files as they are (looked at no more than once a
  // second); in the state to connect, without a BIO. May outlive this object.
  //
  // The handshake fails unless the server shows a certificate that one of the authorities has
  // signed and that is for `host`: a DNS name, or an IPv4 or IPv6 address without brackets, whose
  // zone ("%eth0") does not matter. A name's certificate may have "*" for its first label, but not
  // for a part of it; the common name counts only where there are no alternative DNS names. The
  // server is told names, never addresses (SNI, RFC 6066 section 3).
  //
  // Null when no certificate could be for `host`: it is empty, has a NUL or more than 255 bytes.
  OwnedSsl NewSsl(const std::string& host);

 private:
  explicit TlsClientContext(std::unique_ptr<TlsContextSource> source)
      : source_(std::move(source)) {}

  const std::unique_ptr<TlsContextSource> source_;
};

}  // namespace rawgate::net
