#include "runtime/testing/test_certificates.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "absl/strings/strip.h"

namespace rawgate::testing {
namespace {

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

void Expect(bool done) {
  if (!done) throw std::runtime_error("OpenSSL made no test certificate");
}

template <typename Print>
std::string ToPem(Print print) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  Expect(print(bio.get()) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<size_t>(size));
}

void AddExtension(X509* certificate, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()), X509_EXTENSION_free);
  Expect(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
}

// Not as an extension is made of text, where names end with a NUL and are never empty.
void AddAlternativeName(GENERAL_NAMES* names, absl::string_view text) {
  GENERAL_NAME* const name = GENERAL_NAME_new();
  Expect(name != nullptr && sk_GENERAL_NAME_push(names, name) > 0);
  if (absl::ConsumePrefix(&text, "IP:")) {
    ASN1_OCTET_STRING* const address = a2i_IPADDRESS(std::string(text).c_str());
    Expect(address != nullptr);
    GENERAL_NAME_set0_value(name, GEN_IPADD, address);
    return;
  }
  const bool uri = absl::ConsumePrefix(&text, "URI:");
  Expect(uri || absl::ConsumePrefix(&text, "DNS:"));
  ASN1_IA5STRING* const value = ASN1_IA5STRING_new();
  Expect(ASN1_STRING_set(value, text.data(), static_cast<int>(text.size())) == 1);
  GENERAL_NAME_set0_value(name, uri ? GEN_URI : GEN_DNS, value);
}

void AddAlternativeNames(X509* certificate, const std::vector<std::string>& names) {
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> list(GENERAL_NAMES_new(),
                                                                           GENERAL_NAMES_free);
  for (const std::string& name : names) AddAlternativeName(list.get(), name);
  Expect(X509_add1_ext_i2d(certificate, NID_subject_alt_name, list.get(), 0, X509V3_ADD_DEFAULT) ==
         1);
}

Certificate Make(const std::string& name, EVP_PKEY* key, absl::Duration lifetime) {
  static long serial = 0;
  Certificate made(X509_new(), X509_free);
  Expect(X509_set_version(made.get(), 2) == 1);
  Expect(ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial) == 1);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -7'200);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), absl::ToInt64Seconds(lifetime));
  Expect(X509_set_pubkey(made.get(), key) == 1);
  Expect(X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", V_ASN1_UTF8STRING,
                                    reinterpret_cast<const unsigned char*>(name.data()),
                                    static_cast<int>(name.size()), -1, 0) == 1);
  return made;
}

}  // namespace

struct TestAuthority::Signer {
  Certificate certificate{nullptr, X509_free};
  Key key{EVP_EC_gen("P-256"), EVP_PKEY_free};
};

TestAuthority::TestAuthority(const std::string& name) : signer_(std::make_unique<Signer>()) {
  Signer& own = *signer_;
  own.certificate = Make(name, own.key.get(), absl::Hours(24));
  X509* const certificate = own.certificate.get();
  Expect(X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) == 1);
  AddExtension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  Expect(X509_sign(certificate, own.key.get(), EVP_sha256()) > 0);
  pem_ = ToPem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

TestAuthority::~TestAuthority() = default;

TestIdentity TestAuthority::Issue(const std::string& common_name,
                                  const std::vector<std::string>& names, absl::Duration lifetime) {
  const Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const Certificate made = Make(common_name, key.get(), lifetime);
  X509* const issuer = signer_->certificate.get();
  Expect(X509_set_issuer_name(made.get(), X509_get_subject_name(issuer)) == 1);
  if (!names.empty()) AddAlternativeNames(made.get(), names);
  Expect(X509_sign(made.get(), signer_->key.get(), EVP_sha256()) > 0);
  return {ToPem([&](BIO* bio) { return PEM_write_bio_X509(bio, made.get()); }),
          ToPem([&](BIO* bio) {
            return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          })};
}

TestFolder::TestFolder() {
  path_ = std::filesystem::temp_directory_path() / "rawgate-test-XXXXXX";
  if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("mkdtemp");
}

TestFolder::~TestFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TestFolder::WriteInPlace(const std::string& name, const std::string& content) const {
  std::ofstream(path(name), std::ios::binary | std::ios::trunc) << content;
  return path(name);
}

std::string TestFolder::Write(const std::string& name, const std::string& content) const {
  WriteInPlace(name + ".new", content);
  std::filesystem::rename(path(name + ".new"), path(name));
  return path(name);
}

}  // namespace rawgate::testing
