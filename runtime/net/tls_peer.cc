#include "runtime/net/tls_peer.h"

#include <algorithm>
#include <ctime>
#include <memory>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace rawgate::net {
namespace {

constexpr absl::string_view kServiceUriPrefix = "urn:rawgate:service:";

std::optional<std::string> Utf8Of(const ASN1_STRING& name) {
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, &name);
  if (size < 0) return std::nullopt;
  std::string utf8(reinterpret_cast<const char*>(text), static_cast<size_t>(size));
  OPENSSL_free(text);
  return utf8;
}

std::optional<std::string> CommonName(const X509& certificate) {
  const X509_NAME* const subject = X509_get_subject_name(&certificate);
  const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (index < 0) return "";
  return Utf8Of(*X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
}

std::optional<std::vector<std::string>> AlternativeUris(const X509& certificate) {
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free);
  std::vector<std::string> uris;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    std::optional<std::string> uri = Utf8Of(*name->d.uniformResourceIdentifier);
    if (!uri) return std::nullopt;
    uris.push_back(*std::move(uri));
  }
  return uris;
}

absl::Time Expiry(const X509& certificate) {
  tm expires{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &expires) != 1) return absl::InfinitePast();
  return absl::FromTM(expires, absl::UTCTimeZone());
}

}  // namespace

bool IsService(const TlsPeer& peer) {
  return std::any_of(peer.uris.begin(), peer.uris.end(), [](const std::string& uri) {
    return absl::StartsWith(uri, kServiceUriPrefix);
  });
}

std::optional<TlsPeer> VerifiedPeerOf(SSL& ssl) {
  const X509* const certificate = SSL_get0_peer_certificate(&ssl);
  if (certificate == nullptr || SSL_get_verify_result(&ssl) != X509_V_OK) return std::nullopt;
  std::optional<std::vector<std::string>> uris = AlternativeUris(*certificate);
  std::optional<std::string> common_name = CommonName(*certificate);
  if (!uris || !common_name) return std::nullopt;
  return TlsPeer{*std::move(uris), *std::move(common_name), Expiry(*certificate)};
}

}  // namespace rawgate::net
