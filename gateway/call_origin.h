// What a client shows to say who he is, besides tokens.
//
// A client of the HTTP server reaches the forwarder by a connection within the process, which has
// neither his address nor his certificate: the HTTP server says them as metadata, and nobody else
// can (ClientSession::Identity::trusted).
#pragma once

#include <string>
#include <vector>

namespace rawgate::gateway {

// Metadata of the HTTP server, besides rpc::kPeerMetadataKey: the URIs of the client's certificate,
// one value for each, and the common name of its subject. Only of certificates that were verified
// and have not expired. Binary, since names are UTF-8.
inline constexpr char kHttpCertificateUriKey[] = "x-rawgate-http-cert-uri-bin";
inline constexpr char kHttpCertificateNameKey[] = "x-rawgate-http-cert-cn-bin";

// What names a verified client certificate. Both empty when there is none.
struct CertificateNames {
  std::vector<std::string> uris = {};
  std::vector<std::string> common_names = {};
};

}  // namespace rawgate::gateway
