#include "cli/upload_id.h"

#include <unistd.h>

#include <array>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cli/sha256.h"

namespace rawgate::cli {
namespace {

std::string HostName() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::string AbsolutePath(const std::string& path) {
  char* resolved = ::realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return path;
  std::string result(resolved);
  std::free(resolved);
  return result;
}

// Few enough for a table at 80 columns. Were two files ever of one id, their beginnings would tell.
constexpr size_t kFileDigits = 12;
constexpr size_t kVersionDigits = 8;
// "put-", the file's digits, "-".
constexpr size_t kFilePart = 4 + kFileDigits + 1;

}  // namespace

std::string UploadId(const SourceFile& source, absl::string_view name, int generation) {
  const std::string file = Fingerprint(
      kFileDigits, {HostName(), absl::StrCat(::getuid()), AbsolutePath(source.path()), name});
  const std::string version = Fingerprint(
      kVersionDigits,
      {absl::StrCat(source.size()), absl::StrCat(absl::ToUnixNanos(source.modify_time()))});
  return absl::StrCat("put-", file, "-", version,
                      generation == 0 ? "" : absl::StrCat("-", generation));
}

bool IsOtherVersion(absl::string_view id, absl::string_view own) {
  return id != own && absl::StartsWith(id, own.substr(0, kFilePart));
}

}  // namespace rawgate::cli
