// Where a call comes from, and what its client shows to say who he is.
//
// A client of the HTTP server reaches the gateway over the in-process transport, which has neither
// address nor certificate of his: the HTTP server says them as metadata. Nobody else can: calls
// that came over a connection are asked for their own.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "grpcpp/server_context.h"

namespace rawgate::gateway {

// Metadata of the HTTP server, besides rpc::kPeerMetadataKey: the URIs of the client's certificate,
// one value for each, and the common name of its subject. Only of certificates that were verified.
// Binary, since names are UTF-8.
inline constexpr char kHttpCertificateUriKey[] = "x-rawgate-http-cert-uri-bin";
inline constexpr char kHttpCertificateNameKey[] = "x-rawgate-http-cert-cn-bin";

// "tcp://127.0.0.1:4711".
std::string PeerOf(const grpc::ServerContextBase& call);

// What names a verified client certificate. Both empty when there is none, and when it has expired,
// be it while the connection was open: a client who renews his certificate connects again.
struct CertificateNames {
  std::vector<std::string> uris;
  std::vector<std::string> common_names;
};
CertificateNames CertificateOf(const grpc::ServerContextBase& call);

// All values of `authorization`, which live as long as the call.
std::vector<absl::string_view> AuthorizationOf(const grpc::ServerContextBase& call);

}  // namespace rawgate::gateway
