#include "cli/transfer_plan.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/folder_listing.h"
#include "cli/gateway.h"
#include "cli/local_path.h"
#include "cli/target_file.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using file::v1::FileInfo;
using file::v1::FileService;

absl::Status CheckTargets(TransferPlan& plan) {
  std::vector<const Transfer*> by_target;
  by_target.reserve(plan.transfers.size());
  for (const Transfer& transfer : plan.transfers) by_target.push_back(&transfer);
  std::sort(by_target.begin(), by_target.end(),
            [](const Transfer* a, const Transfer* b) { return a->target < b->target; });
  const auto same = std::adjacent_find(
      by_target.begin(), by_target.end(),
      [](const Transfer* a, const Transfer* b) { return a->target == b->target; });
  if (same == by_target.end()) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "SAME_TARGET",
               absl::StrCat((*same)->source, " and ", (*(same + 1))->source, " would both become ",
                            (*same)->target));
}

absl::Status IsFolderError(absl::string_view name, absl::string_view verb) {
  return Error(absl::StatusCode::kFailedPrecondition, "IS_A_FOLDER",
               absl::StrCat(name, ": is a folder; -r ", verb, " what is in it"));
}

// "." and ".." name a folder by where it is, not by what it is called: it has no name to keep.
std::string OwnName(const std::string& path) {
  const std::string name = LastComponent(WithoutTrailingSlashes(path));
  return name == "." || name == ".." ? "" : name;
}

// Where something called `name` goes.
std::string Placed(const std::string& target, bool into, const std::string& name) {
  if (target.empty()) return name;
  return into ? Joined(target, name) : target;
}

// --- put

class LocalWalk {
 public:
  explicit LocalWalk(TransferPlan& plan) : plan_(plan) {}

  void Add(const std::string& folder, const std::string& target);

 private:
  void AddEntry(const std::filesystem::directory_entry& entry, const std::string& target);
  void Skip(const std::string& path, absl::string_view why) {
    plan_.skipped.push_back(absl::StrCat(Printable(path), ": ", why, ", skipped"));
  }

  TransferPlan& plan_;
};

void LocalWalk::Add(const std::string& folder, const std::string& target) {
  std::error_code error;
  std::vector<std::filesystem::directory_entry> entries;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    entries.push_back(*entry);
  }
  if (error) plan_.failures.push_back({folder, ErrnoError(error.value(), folder)});
  std::sort(entries.begin(), entries.end());
  for (const auto& entry : entries) AddEntry(entry, target);
}

void LocalWalk::AddEntry(const std::filesystem::directory_entry& entry, const std::string& target) {
  const std::string path = entry.path().string();
  const std::string name = entry.path().filename().string();
  std::error_code error;
  const std::filesystem::file_status status = entry.symlink_status(error);
  if (error) {
    plan_.failures.push_back({path, ErrnoError(error.value(), path)});
  } else if (std::filesystem::is_symlink(status)) {
    Skip(path, "a symbolic link");
  } else if (IsTemporaryName(name)) {
    Skip(path, "what an unfinished 'rawgate get' has kept");
  } else if (!IsUtf8(name)) {
    plan_.failures.push_back({path, Error(absl::StatusCode::kInvalidArgument, "BAD_FILENAME",
                                          "its name is not UTF-8, as names over there are")});
  } else if (std::filesystem::is_directory(status)) {
    Add(path, Joined(target, name));
  } else if (!std::filesystem::is_regular_file(status)) {
    Skip(path, "neither file nor folder");
  } else {
    const uint64_t size = entry.file_size(error);
    plan_.transfers.push_back({path, Joined(target, name), error ? 0 : size});
  }
}

absl::Status AddPath(const std::string& path, const std::string& target, bool recursive,
                     TransferPlan& plan) {
  struct stat there {};
  if (::stat(path.c_str(), &there) != 0) return ErrnoError(errno, path);
  if (!S_ISDIR(there.st_mode)) {
    plan.transfers.push_back({path, target, static_cast<uint64_t>(there.st_size)});
    return absl::OkStatus();
  }
  if (!recursive) return IsFolderError(path, "sends");
  LocalWalk(plan).Add(path, target);
  return absl::OkStatus();
}

// --- get

absl::Status AddFolder(FileService::Stub& store, const std::string& name, const std::string& target,
                       TransferPlan& plan) {
  return ForEachEntryBelow(store, name, [&](const FileInfo& entry) {
    if (entry.type() != file::v1::ENTRY_TYPE_FOLDER) {
      const std::string below =
          name.empty() ? entry.filename() : entry.filename().substr(name.size() + 1);
      plan.transfers.push_back({entry.filename(), Joined(target, below), entry.size()});
    }
    return absl::OkStatus();
  });
}

absl::Status AddName(FileService::Stub& store, const std::string& written,
                     const std::string& output, bool into, bool recursive, TransferPlan& plan) {
  const std::string name = FolderName(written);
  FileInfo file;
  file.set_type(file::v1::ENTRY_TYPE_FOLDER);
  if (!name.empty()) {
    file::v1::StatFileRequest request;
    request.set_filename(name);
    const auto response = Call(store, &FileService::Stub::StatFile, request);
    if (!response.ok()) return response.status();
    file = response->file();
  }
  if (file.type() == file::v1::ENTRY_TYPE_FOLDER) {
    if (!recursive) return IsFolderError(written, "fetches");
    return AddFolder(store, name, Placed(output, into, OwnName(name)), plan);
  }
  const bool into_folder = into || (output != "-" && IsFolder(output));
  plan.transfers.push_back({name, Placed(output, into_folder, OwnName(name)), file.size()});
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TransferPlan> PlanPut(const std::vector<std::string>& paths, const std::string& to,
                                     bool recursive) {
  const bool into = paths.size() > 1 || absl::EndsWith(to, "/");
  const std::string target = FolderName(to);
  TransferPlan plan;
  for (const std::string& path : paths) {
    absl::Status added = AddPath(path, Placed(target, into, OwnName(path)), recursive, plan);
    if (!added.ok()) plan.failures.push_back({path, std::move(added)});
  }
  if (absl::Status differ = CheckTargets(plan); !differ.ok()) return differ;
  return plan;
}

absl::StatusOr<TransferPlan> PlanGet(FileService::Stub& store,
                                     const std::vector<std::string>& names,
                                     const std::string& output, bool recursive) {
  const bool into = names.size() > 1 || absl::EndsWith(output, "/");
  TransferPlan plan;
  for (const std::string& name : names) {
    absl::Status added = AddName(store, name, output, into, recursive, plan);
    if (!added.ok()) plan.failures.push_back({name, std::move(added)});
  }
  if (absl::Status differ = CheckTargets(plan); !differ.ok()) return differ;
  return plan;
}

}  // namespace rawgate::cli
