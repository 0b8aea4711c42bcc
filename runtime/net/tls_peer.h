// What the certificate of a connection's other end says of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <openssl/types.h>

#include "absl/time/time.h"

namespace rawgate::net {

// Names are the whole of what was signed, in UTF-8: one with a NUL in it is another than the part
// before the NUL, and none is left out for being empty. gRPC gives the same for the same
// certificate.
struct TlsPeer {
  // Of the subject's alternative names, in their order.
  std::vector<std::string> uris;
  // Of the subject, the first where there are several; empty also when there is none.
  std::string common_name;
  // The connection may live longer. InfinitePast when it cannot be read.
  absl::Time expiry;
};

// Of what services show to those who call them (`rawgate init-tls --service`): with the key of one,
// which the commands of exec may have got hold of, nobody is a client of another.
bool IsService(const TlsPeer& peer);

// Of a connection whose handshake is done. Nullopt when the peer has shown no certificate, when it
// was not verified, and when a name of it cannot be read as text, for which gRPC refuses the
// handshake.
std::optional<TlsPeer> VerifiedPeerOf(SSL& ssl);

}  // namespace rawgate::net
