#include "cli/local_path.h"

#include <sys/stat.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace rawgate::cli {

std::string LastComponent(absl::string_view name) {
  const size_t slash = name.rfind('/');
  return std::string(slash == name.npos ? name : name.substr(slash + 1));
}

std::string FolderPart(absl::string_view name) {
  const size_t slash = name.rfind('/');
  return std::string(slash == name.npos ? "" : name.substr(0, slash + 1));
}

std::string WithoutTrailingSlashes(absl::string_view name) {
  while (absl::EndsWith(name, "/")) name.remove_suffix(1);
  return std::string(name);
}

std::string Joined(absl::string_view folder, absl::string_view name) {
  return absl::StrCat(folder, folder.empty() || absl::EndsWith(folder, "/") ? "" : "/", name);
}

bool IsFolder(const std::string& path) {
  struct stat there {};
  return ::stat(path.c_str(), &there) == 0 && S_ISDIR(there.st_mode);
}

}  // namespace rawgate::cli
