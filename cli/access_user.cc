#include "cli/access_user.h"

#include <array>

#include <openssl/rand.h>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "cli/sha256.h"
#include "runtime/base/status.h"

namespace rawgate::cli {

absl::StatusOr<std::string> MakeToken() {
  std::array<unsigned char, 32> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return Error(absl::StatusCode::kInternal, "OPENSSL_FAILED",
                 "this system has no source of chance");
  }
  return absl::WebSafeBase64Escape(
      absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

std::string AccessUserText(absl::string_view name, rpc::Role role, absl::string_view token,
                           absl::string_view certificate_uri) {
  Sha256 digest;
  digest.Add(token);
  std::string text = absl::StrCat("user {\n  name: \"", absl::CEscape(name), "\"\n  role: ROLE_",
                                  absl::AsciiStrToUpper(rpc::RoleName(role)),
                                  "\n  token_sha256: \"", digest.Digest(), "\"\n");
  if (!certificate_uri.empty())
    absl::StrAppend(&text, "  certificate_uri: \"", certificate_uri, "\"\n");
  return absl::StrCat(text, "}\n");
}

}  // namespace rawgate::cli
