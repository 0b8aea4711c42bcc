#include "services/file/file_upload_spec.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::file {

std::string NewUploadId() {
  std::array<char, 16> bits;
  // Does not fail, and is not cut short, for so few bytes once the system has booted.
  if (::getrandom(bits.data(), bits.size(), 0) != static_cast<ssize_t>(bits.size())) std::abort();
  return absl::BytesToHexString(absl::string_view(bits.data(), bits.size()));
}

absl::Status CheckUploadId(absl::string_view id) {
  const bool fit = !id.empty() && id.size() <= kUploadIdMax &&
                   std::all_of(id.begin(), id.end(), [](unsigned char c) {
                     return absl::ascii_isalnum(c) || c == '-' || c == '_';
                   });
  if (fit) return absl::OkStatus();
  return FieldError("upload_id", "BAD_UPLOAD_ID",
                    absl::StrCat("an upload's id is 1 to ", kUploadIdMax,
                                 " letters, digits, '-' and '_' of ASCII"));
}

}  // namespace rawgate::file
