#include "cli/folder_listing.h"

#include "absl/strings/str_cat.h"
#include "cli/gateway.h"
#include "cli/local_path.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using file::v1::FileInfo;
using file::v1::FileService;
using file::v1::ListFilesResponse;
using TakeEntry = std::function<absl::Status(const FileInfo&)>;

constexpr int kPageSize = 1000;
// Names in a store have at most 32 components.
constexpr int kDepthMax = 64;

absl::Status BadListing(const std::string& folder, absl::string_view what) {
  return Error(absl::StatusCode::kDataLoss, "BAD_LISTING",
               absl::StrCat("the listing of '", folder, "' has ", what));
}

// The far side must not choose where a file goes on this side.
absl::Status CheckEntry(const std::string& folder, const FileInfo& entry) {
  const std::string last = LastComponent(entry.filename());
  const bool safe = !last.empty() && last != "." && last != ".." && last.find('\0') == last.npos &&
                    entry.filename() == Joined(folder, last);
  return safe ? absl::OkStatus()
              : BadListing(folder, absl::StrCat("an entry called '", entry.filename(), "'"));
}

absl::Status Walk(FileService::Stub& store, const std::string& folder, int depth,
                  const TakeEntry& take) {
  if (depth > kDepthMax) return BadListing(folder, "no end");
  return ForEachPage(store, folder, [&](const ListFilesResponse& page) {
    for (const FileInfo& entry : page.files()) {
      absl::Status taken = take(entry);
      if (taken.ok() && entry.type() == file::v1::ENTRY_TYPE_FOLDER) {
        taken = Walk(store, entry.filename(), depth + 1, take);
      }
      if (!taken.ok()) return taken;
    }
    return absl::OkStatus();
  });
}

}  // namespace

absl::Status ForEachPage(FileService::Stub& store, const std::string& folder,
                         const std::function<absl::Status(const ListFilesResponse&)>& take) {
  file::v1::ListFilesRequest request;
  request.set_folder(folder);
  request.set_page_size(kPageSize);
  do {
    const auto page = Call(store, &FileService::Stub::ListFiles, request);
    if (!page.ok()) return page.status();
    for (const FileInfo& entry : page->files()) {
      if (absl::Status safe = CheckEntry(folder, entry); !safe.ok()) return safe;
    }
    if (absl::Status taken = take(*page); !taken.ok()) return taken;
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return absl::OkStatus();
}

absl::Status ForEachEntryBelow(FileService::Stub& store, const std::string& folder,
                               const TakeEntry& take) {
  return Walk(store, folder, 0, take);
}

std::string FolderName(absl::string_view written) { return WithoutTrailingSlashes(written); }

}  // namespace rawgate::cli
