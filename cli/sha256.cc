#include "cli/sha256.h"

#include <array>
#include <new>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace rawgate::cli {

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  // Fails only without memory, or in a library that was built without SHA-256.
  if (context_ == nullptr || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) {
    throw std::bad_alloc();
  }
}

Sha256::Sha256(const Sha256& other) : context_(EVP_MD_CTX_new()) {
  if (context_ == nullptr || EVP_MD_CTX_copy_ex(context_.get(), other.context_.get()) != 1) {
    throw std::bad_alloc();
  }
}

Sha256& Sha256::operator=(const Sha256& other) {
  Sha256 copy(other);
  std::swap(context_, copy.context_);
  return *this;
}

void Sha256::Add(absl::string_view bytes) {
  EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
}

std::string Sha256::Digest() const {
  const Sha256 ended(*this);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_DigestFinal_ex(ended.context_.get(), digest.data(), &size);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest.data()), size));
}

std::string Fingerprint(size_t digits, std::initializer_list<absl::string_view> parts) {
  Sha256 sha256;
  for (const absl::string_view part : parts) {
    // The length keeps "ab", "c" and "a", "bc" apart.
    sha256.Add(absl::StrCat(part.size(), ":"));
    sha256.Add(part);
  }
  return sha256.Digest().substr(0, digits);
}

}  // namespace rawgate::cli
