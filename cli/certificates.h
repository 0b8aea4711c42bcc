// A private certificate authority and what it signs: X.509 (RFC 5280), keys on the curve P-256.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rawgate::cli {

struct FreeOpenSsl {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using PrivateKey = std::unique_ptr<EVP_PKEY, FreeOpenSsl>;
using Certificate = std::unique_ptr<X509, FreeOpenSsl>;

// What a certificate says of its owner.
struct Subject {
  std::string common_name;
  // DNS names and IP addresses, all checked by CheckHost().
  std::vector<std::string> hosts;
  // Empty: none.
  std::string uri;
  bool server = false;
  bool client = false;
};

// INVALID_ARGUMENT (BAD_HOST) unless it is an IP address or a DNS name, whose first label may be
// "*".
absl::Status CheckHost(const std::string& host);

// The others fail with INTERNAL (OPENSSL_FAILED), what is read with INVALID_ARGUMENT (BAD_PEM).
absl::StatusOr<PrivateKey> MakeKey();
// For ten years; may sign servers and clients, no further authority.
absl::StatusOr<Certificate> MakeAuthority(EVP_PKEY& key);
// For one year, and no longer than the authority lasts.
absl::StatusOr<Certificate> MakeCertificate(const Subject& subject, EVP_PKEY& key, X509& authority,
                                            EVP_PKEY& authority_key);

absl::StatusOr<std::string> ToPem(X509& certificate);
absl::StatusOr<std::string> ToPem(EVP_PKEY& key);
absl::StatusOr<Certificate> CertificateFromPem(absl::string_view pem);
absl::StatusOr<PrivateKey> KeyFromPem(absl::string_view pem);

bool KeyFits(const X509& certificate, const EVP_PKEY& key);

// From when and until when it is good.
struct Validity {
  absl::Time begin;
  absl::Time end;
};
Validity ValidityOf(const X509& certificate);

// Its DNS names and IP addresses.
std::vector<std::string> HostsOf(const X509& certificate);

}  // namespace rawgate::cli
