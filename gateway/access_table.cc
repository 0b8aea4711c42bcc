#include "gateway/access_table.h"

#include <new>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "absl/strings/str_cat.h"

namespace rawgate::gateway {
namespace {

std::array<unsigned char, 32> MakeSecret() {
  std::array<unsigned char, 32> secret;
  // Fails only without any source of randomness.
  if (RAND_bytes(secret.data(), static_cast<int>(secret.size())) != 1) throw std::bad_alloc();
  return secret;
}

absl::string_view Bytes(const std::array<unsigned char, 32>& array) {
  return {reinterpret_cast<const char*>(array.data()), array.size()};
}

}  // namespace

TokenDigest DigestOf(absl::string_view token) {
  // Looked up once: that takes longer than the digest.
  static EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  TokenDigest digest;
  // Fails only without memory, or in a library that was built without SHA-256.
  if (EVP_Digest(token.data(), token.size(), digest.data(), nullptr, sha256, nullptr) != 1) {
    throw std::bad_alloc();
  }
  return digest;
}

AccessTable::AccessTable(std::vector<AccessUser> users)
    : users_(std::move(users)), secret_(MakeSecret()) {
  for (const AccessUser& user : users_) {
    for (const TokenDigest& digest : user.tokens) tokens_.emplace(Concealed(digest), &user.caller);
    for (const std::string& uri : user.certificate_uris) uris_.emplace(uri, &user.caller);
    for (const std::string& name : user.common_names) common_names_.emplace(name, &user.caller);
  }
}

std::string AccessTable::Concealed(const TokenDigest& digest) const {
  return std::string(Bytes(DigestOf(absl::StrCat(Bytes(secret_), Bytes(digest)))));
}

const Caller* AccessTable::Find(const Index& index, absl::string_view key) {
  const auto found = index.find(key);
  return found == index.end() ? nullptr : found->second;
}

const Caller* AccessTable::FindToken(absl::string_view token) const {
  return Find(tokens_, Concealed(DigestOf(token)));
}

const Caller* AccessTable::FindCertificateUri(absl::string_view uri) const {
  return Find(uris_, uri);
}

const Caller* AccessTable::FindCommonName(absl::string_view name) const {
  return Find(common_names_, name);
}

}  // namespace rawgate::gateway
