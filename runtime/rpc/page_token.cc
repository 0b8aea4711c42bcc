#include "runtime/rpc/page_token.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "runtime/base/status.h"

namespace rawgate::rpc {

absl::StatusOr<size_t> PageSize(int32_t requested) {
  if (requested < 0)
    return FieldError("page_size", "BAD_PAGE_SIZE", "page_size must not be negative");
  return requested == 0 ? kPageSizeDefault : std::min(static_cast<size_t>(requested), kPageSizeMax);
}

std::string MakePageToken(absl::string_view instance, uint64_t last_id) {
  return absl::WebSafeBase64Escape(absl::StrCat(instance, "/", last_id));
}

absl::StatusOr<uint64_t> ParsePageToken(absl::string_view token, absl::string_view instance) {
  if (token.empty()) return 0;
  std::string decoded;
  uint64_t last_id = 0;
  if (absl::WebSafeBase64Unescape(token, &decoded)) {
    absl::string_view rest = decoded;
    // Comparing with what would have been made refuses the many spellings that both decoders let
    // through.
    if (absl::ConsumePrefix(&rest, instance) && absl::ConsumePrefix(&rest, "/") &&
        absl::SimpleAtoi(rest, &last_id) && MakePageToken(instance, last_id) == token) {
      return last_id;
    }
  }
  return FieldError("page_token", "INVALID_PAGE_TOKEN",
                    "this page token is not, or no longer, valid: begin again with the first page");
}

}  // namespace rawgate::rpc
