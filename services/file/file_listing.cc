#include "services/file/file_listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include <memory>
#include <queue>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "services/file/file_errors.h"

namespace rawgate::file {
namespace {

bool MayBeServed(unsigned char type) {
  return type == DT_REG || type == DT_DIR || type == DT_UNKNOWN;
}

// The `limit` smallest names behind `after`.
std::vector<std::string> SmallestNames(Fd folder, absl::string_view after, size_t limit, bool* ok) {
  std::priority_queue<std::string> largest_first;
  *ok = ForEachEntry(std::move(folder), [&](const char* entry, unsigned char type) {
    const absl::string_view name(entry);
    if (name <= after || !MayBeServed(type) || absl::StartsWith(name, kReservedPrefix)) return;
    if (largest_first.size() == limit) {
      if (name >= largest_first.top()) return;
      largest_first.pop();
    }
    largest_first.emplace(name);
  });
  std::vector<std::string> names(largest_first.size());
  for (size_t i = names.size(); i-- > 0; largest_first.pop()) names[i] = largest_first.top();
  return names;
}

// A file of that name has an error of its own.
absl::Status FolderError(int errno_value, const FileRoot& root, const FileName& folder,
                         Syscalls& syscalls) {
  const Fd entry = errno_value == ENOTDIR ? root.Open(folder, O_PATH | O_NOFOLLOW) : Fd();
  struct stat status;
  if (entry && syscalls.FstatAt(entry.get(), "", &status, AT_EMPTY_PATH) == 0 &&
      S_ISREG(status.st_mode)) {
    return Error(absl::StatusCode::kFailedPrecondition, "NOT_A_FOLDER",
                 absl::StrCat("\"", ToUtf8(folder.text()), "\" is a file"));
  }
  return LookupError(errno_value, folder, "folder");
}

}  // namespace

absl::StatusOr<FileListing> ListFolder(FileStore& store, const FileName& folder,
                                       absl::string_view after, size_t limit) {
  const FileRoot& root = store.root;
  Syscalls& syscalls = store.syscalls;
  const Fd at = root.OpenFolder(folder);
  if (!at) return FolderError(errno, root, folder, syscalls);
  bool complete = false;
  // One more than asked for tells whether there is a next page.
  std::vector<std::string> names = SmallestNames(
      root.OpenEntry(at.get(), ".", O_RDONLY | O_DIRECTORY), after, limit + 1, &complete);
  if (!complete) return LookupError(errno, folder, "folder");

  FileListing listing;
  if (names.size() > limit) {
    names.pop_back();
    listing.next = names.back();
  }
  for (const std::string& name : names) {
    struct stat status;
    const int found = syscalls.FstatAt(at.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW);
    // Removed meanwhile, or nothing that is served.
    if (found != 0 || !IsServed(status)) continue;
    listing.entries.push_back(ToFileInfo(folder.Child(name).text(), status));
    listing.entries.back().digests = store.digests.Find(status);
  }
  return listing;
}

std::string EncodePageToken(absl::string_view next) { return absl::WebSafeBase64Escape(next); }

absl::StatusOr<std::string> DecodePageToken(absl::string_view token) {
  std::string next;
  if (token.size() > 2 * kComponentBytesMax || !absl::WebSafeBase64Unescape(token, &next) ||
      EncodePageToken(next) != token) {
    return FieldError("page_token", "INVALID_PAGE_TOKEN",
                      "the page token is not one that this service gave");
  }
  return next;
}

bool ForEachEntry(Fd folder, const std::function<void(const char*, unsigned char)>& visit) {
  struct Close {
    void operator()(DIR* stream) const { ::closedir(stream); }
  };
  if (!folder) return false;
  const std::unique_ptr<DIR, Close> stream(::fdopendir(folder.get()));
  if (stream == nullptr) return false;
  folder.Release();
  for (;;) {
    errno = 0;
    // Thread-safe on a stream of one's own: glibc's readdir_r is the deprecated one.
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) return errno == 0;
    const absl::string_view name(entry->d_name);
    if (name != "." && name != "..") visit(entry->d_name, entry->d_type);
  }
}

}  // namespace rawgate::file
