#include "cli/certificates.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <ctime>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "cli/display_text.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

constexpr int kAuthorityDays = 3650;
constexpr int kCertificateDays = 365;
// Machines' clocks differ.
constexpr long kBackdatedSeconds = 300;
// Positive, and of at most 20 bytes (RFC 5280, 4.1.2.2).
constexpr int kSerialBits = 159;

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;

absl::Status Failed(absl::string_view what) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return Error(absl::StatusCode::kInternal, "OPENSSL_FAILED",
               absl::StrCat("cannot ", what, ": ", text.data()));
}

absl::Status BadPem(absl::string_view what) {
  ERR_clear_error();
  return Error(absl::StatusCode::kInvalidArgument, "BAD_PEM",
               absl::StrCat("there is no ", what, " in it"));
}

// `value` as openssl's configuration files have it; nothing that a user wrote.
bool Extend(X509& certificate, X509& issuer, int extension, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const made = X509V3_EXT_conf_nid(nullptr, &context, extension, value);
  if (made == nullptr) return false;
  const bool added = X509_add_ext(&certificate, made, -1) == 1;
  X509_EXTENSION_free(made);
  return added;
}

bool AddName(GENERAL_NAMES* names, int type, absl::string_view value) {
  GENERAL_NAME* const name = GENERAL_NAME_new();
  ASN1_IA5STRING* const text = ASN1_IA5STRING_new();
  if (name == nullptr || text == nullptr ||
      ASN1_STRING_set(text, value.data(), static_cast<int>(value.size())) != 1) {
    GENERAL_NAME_free(name);
    ASN1_IA5STRING_free(text);
    return false;
  }
  GENERAL_NAME_set0_value(name, type, text);
  return sk_GENERAL_NAME_push(names, name) > 0;
}

bool AddHost(GENERAL_NAMES* names, const std::string& host) {
  ASN1_OCTET_STRING* const address = a2i_IPADDRESS(host.c_str());
  if (address == nullptr) return AddName(names, GEN_DNS, host);
  GENERAL_NAME* const name = GENERAL_NAME_new();
  if (name == nullptr) {
    ASN1_OCTET_STRING_free(address);
    return false;
  }
  GENERAL_NAME_set0_value(name, GEN_IPADD, address);
  return sk_GENERAL_NAME_push(names, name) > 0;
}

bool AddAlternativeNames(X509& certificate, const Subject& subject) {
  GENERAL_NAMES* const names = GENERAL_NAMES_new();
  if (names == nullptr) return false;
  bool added = subject.uri.empty() || AddName(names, GEN_URI, subject.uri);
  for (const std::string& host : subject.hosts) added = added && AddHost(names, host);
  added = added &&
          X509_add1_ext_i2d(&certificate, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1;
  GENERAL_NAMES_free(names);
  return added;
}

bool SetSerial(X509& certificate) {
  BIGNUM* const serial = BN_new();
  const bool set = serial != nullptr &&
                   BN_rand(serial, kSerialBits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
                   BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(&certificate)) != nullptr;
  BN_free(serial);
  return set;
}

// All but extensions and signature.
Certificate Begin(const std::string& common_name, EVP_PKEY& key, int days) {
  Certificate certificate(X509_new());
  const auto* const name = reinterpret_cast<const unsigned char*>(common_name.c_str());
  if (certificate == nullptr || X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      !SetSerial(*certificate) ||
      X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kBackdatedSeconds) == nullptr ||
      X509_time_adj_ex(X509_getm_notAfter(certificate.get()), days, 0, nullptr) == nullptr ||
      X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                                 name, -1, -1, 0) != 1 ||
      X509_set_pubkey(certificate.get(), &key) != 1) {
    return nullptr;
  }
  return certificate;
}

// What outlives its authority would be refused from then on, whatever it says itself.
bool CapEnd(X509& certificate, const X509& authority) {
  const ASN1_TIME* const end = X509_get0_notAfter(&authority);
  if (ASN1_TIME_compare(X509_get0_notAfter(&certificate), end) <= 0) return true;
  return X509_set1_notAfter(&certificate, end) == 1;
}

absl::Time FromAsn1(const ASN1_TIME* time) {
  std::tm fields{};
  if (ASN1_TIME_to_tm(time, &fields) != 1) return absl::InfinitePast();
  return absl::FromTM(fields, absl::UTCTimeZone());
}

bool Sign(X509& certificate, X509& authority, EVP_PKEY& key) {
  return X509_set_issuer_name(&certificate, X509_get_subject_name(&authority)) == 1 &&
         X509_sign(&certificate, &key, EVP_sha256()) > 0;
}

const char* Purposes(const Subject& subject) {
  if (subject.server && subject.client) return "serverAuth,clientAuth";
  return subject.server ? "serverAuth" : "clientAuth";
}

std::string Contents(BIO& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(&bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

Bio Reading(absl::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// A key that has a passphrase is not asked for it.
int NoPassphrase(char*, int, int, void*) { return -1; }

}  // namespace

absl::Status CheckHost(const std::string& host) {
  in6_addr address{};
  if (::inet_pton(AF_INET, host.c_str(), &address) == 1 ||
      ::inet_pton(AF_INET6, host.c_str(), &address) == 1) {
    return absl::OkStatus();
  }
  std::vector<absl::string_view> labels = absl::StrSplit(host, '.');
  if (labels.size() > 1 && labels.front() == "*") labels.erase(labels.begin());
  const auto is_label = [](absl::string_view label) {
    return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
           std::all_of(label.begin(), label.end(), [](char c) {
             return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
           });
  };
  if (host.size() <= 253 && std::all_of(labels.begin(), labels.end(), is_label))
    return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "BAD_HOST",
               absl::StrCat(Quoted(host), " is no IP address and no DNS name"));
}

absl::StatusOr<PrivateKey> MakeKey() {
  PrivateKey key(EVP_EC_gen("P-256"));
  if (key == nullptr) return Failed("make a key");
  return key;
}

absl::StatusOr<Certificate> MakeAuthority(EVP_PKEY& key) {
  Certificate made = Begin("rawgate private CA", key, kAuthorityDays);
  if (made == nullptr ||
      !Extend(*made, *made, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
      !Extend(*made, *made, NID_key_usage, "critical,keyCertSign,cRLSign") ||
      !Extend(*made, *made, NID_subject_key_identifier, "hash") || !Sign(*made, *made, key)) {
    return Failed("make the CA's certificate");
  }
  return made;
}

absl::StatusOr<Certificate> MakeCertificate(const Subject& subject, EVP_PKEY& key, X509& authority,
                                            EVP_PKEY& authority_key) {
  Certificate made = Begin(subject.common_name, key, kCertificateDays);
  if (made == nullptr || !CapEnd(*made, authority) ||
      !Extend(*made, authority, NID_basic_constraints, "critical,CA:FALSE") ||
      !Extend(*made, authority, NID_key_usage, "critical,digitalSignature") ||
      !Extend(*made, authority, NID_ext_key_usage, Purposes(subject)) ||
      !Extend(*made, authority, NID_subject_key_identifier, "hash") ||
      !Extend(*made, authority, NID_authority_key_identifier, "keyid:always") ||
      !AddAlternativeNames(*made, subject) || !Sign(*made, authority, authority_key)) {
    return Failed(absl::StrCat("make a certificate for ", subject.common_name));
  }
  return made;
}

absl::StatusOr<std::string> ToPem(X509& certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || PEM_write_bio_X509(bio.get(), &certificate) != 1)
    return Failed("write a certificate");
  return Contents(*bio);
}

absl::StatusOr<std::string> ToPem(EVP_PKEY& key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return Failed("write a key");
  }
  return Contents(*bio);
}

absl::StatusOr<Certificate> CertificateFromPem(absl::string_view pem) {
  const Bio bio = Reading(pem);
  Certificate certificate(
      bio == nullptr ? nullptr : PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr));
  if (certificate == nullptr) return BadPem("certificate");
  return certificate;
}

absl::StatusOr<PrivateKey> KeyFromPem(absl::string_view pem) {
  const Bio bio = Reading(pem);
  PrivateKey key(bio == nullptr
                     ? nullptr
                     : PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassphrase, nullptr));
  if (key == nullptr) return BadPem("private key without a passphrase");
  return key;
}

bool KeyFits(const X509& certificate, const EVP_PKEY& key) {
  const bool fits = X509_check_private_key(&certificate, &key) == 1;
  ERR_clear_error();
  return fits;
}

Validity ValidityOf(const X509& certificate) {
  return {.begin = FromAsn1(X509_get0_notBefore(&certificate)),
          .end = FromAsn1(X509_get0_notAfter(&certificate))};
}

std::vector<std::string> HostsOf(const X509& certificate) {
  std::vector<std::string> hosts;
  auto* const names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names); ++i) {
    int type = 0;
    const auto* const value = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type));
    const unsigned char* const data = ASN1_STRING_get0_data(value);
    const int size = ASN1_STRING_length(value);
    if (type == GEN_DNS) {
      hosts.emplace_back(reinterpret_cast<const char*>(data), static_cast<size_t>(size));
    } else if (type == GEN_IPADD && (size == 4 || size == 16)) {
      std::array<char, INET6_ADDRSTRLEN> text{};
      ::inet_ntop(size == 4 ? AF_INET : AF_INET6, data, text.data(), text.size());
      hosts.emplace_back(text.data());
    }
  }
  GENERAL_NAMES_free(names);
  return hosts;
}

}  // namespace rawgate::cli
