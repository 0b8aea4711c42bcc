// SHA-256 of bytes as they pass.
#pragma once

#include <memory>
#include <string>

#include <openssl/evp.h>

#include "absl/strings/string_view.h"

namespace rawgate::cli {

class Sha256 {
 public:
  Sha256();

  void Add(absl::string_view bytes);

  // Of everything added, in lower-case hexadecimal. Call once, last.
  std::string Finish();

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

}  // namespace rawgate::cli
