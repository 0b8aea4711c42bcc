// SHA-256 of bytes as they pass.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>

#include <openssl/evp.h>

#include "absl/strings/string_view.h"

namespace rawgate::cli {

class Sha256 {
 public:
  Sha256();
  // Goes on from where `other` is.
  Sha256(const Sha256& other);
  Sha256& operator=(const Sha256& other);

  void Add(absl::string_view bytes);

  // Of everything added, in lower-case hexadecimal. More may be added afterwards.
  std::string Digest() const;

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

// So many hexadecimal digits, at most 64, that follow from `parts` alone, and are others for other
// parts.
std::string Fingerprint(size_t digits, std::initializer_list<absl::string_view> parts);

}  // namespace rawgate::cli
