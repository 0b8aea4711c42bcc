// rawgate rm, mv.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/display_text.h"
#include "cli/folder_listing.h"
#include "cli/local_path.h"
#include "rawgate/file/v1/file_service.grpc.pb.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using file::v1::FileInfo;
using file::v1::FileService;

// --- rm

struct RemoveOptions {
  std::vector<std::string> names;
  bool recursive = false;
  bool force = false;
};

class Removal {
 public:
  Removal(const RemoveOptions& options, Context& context)
      : options_(options), context_(context), store_(context.gateway.Stub<FileService>()) {}

  // Removes what was named. What cannot be removed does not stop the rest. Errors: that of the only
  // name.
  absl::StatusOr<int> Run();

 private:
  absl::Status Remove(const std::string& name);
  absl::Status RemoveBelow(const std::string& folder);
  absl::Status Delete(const std::string& name);
  void Tell(const std::string& name, const absl::Status& failure);

  const RemoveOptions& options_;
  Context& context_;
  const std::unique_ptr<FileService::Stub> store_;
  bool failed_ = false;
};

absl::StatusOr<int> Removal::Run() {
  for (const std::string& written : options_.names) {
    const absl::Status removed = Remove(WithoutTrailingSlashes(written));
    if (removed.ok() || (options_.force && absl::IsNotFound(removed))) continue;
    if (options_.names.size() == 1 && !failed_) return removed;
    Tell(written, removed);
  }
  return failed_ ? kExitFailure : 0;
}

void Removal::Tell(const std::string& name, const absl::Status& failure) {
  failed_ = true;
  context_.Tell({.command = "rm", .subject = name, .status = failure});
}

absl::Status Removal::Remove(const std::string& name) {
  absl::Status removed = Delete(name);
  if (!options_.recursive || ReasonOf(removed) != "FOLDER_NOT_EMPTY") return removed;
  if (absl::Status below = RemoveBelow(name); !below.ok()) return below;
  return Delete(name);
}

absl::Status Removal::RemoveBelow(const std::string& folder) {
  return ForEachPage(*store_, folder, [this](const file::v1::ListFilesResponse& page) {
    for (const FileInfo& entry : page.files()) {
      const absl::Status removed = Remove(entry.filename());
      // Somebody else has removed it: fine.
      if (removed.ok() || absl::IsNotFound(removed)) continue;
      if (absl::IsUnavailable(removed)) return removed;
      Tell(entry.filename(), removed);
    }
    return absl::OkStatus();
  });
}

absl::Status Removal::Delete(const std::string& name) {
  file::v1::DeleteFileRequest request;
  request.set_filename(name);
  return Call(*store_, &FileService::Stub::DeleteFile, request).status();
}

// --- mv

struct MoveOptions {
  std::string name;
  std::string new_name;
  bool if_absent = false;
};

// `new_name` is the folder to move it into, or the name that it gets.
absl::StatusOr<bool> IsFolderThere(FileService::Stub& store, const std::string& new_name) {
  if (absl::EndsWith(new_name, "/")) return true;
  file::v1::StatFileRequest request;
  request.set_filename(new_name);
  const auto there = Call(store, &FileService::Stub::StatFile, request);
  if (there.ok()) return there->file().type() == file::v1::ENTRY_TYPE_FOLDER;
  if (absl::IsNotFound(there.status())) return false;
  return there.status();
}

absl::StatusOr<int> Move(const MoveOptions& options, Context& context) {
  const auto store = context.gateway.Stub<FileService>();
  const std::string name = WithoutTrailingSlashes(options.name);
  const absl::StatusOr<bool> into = IsFolderThere(*store, options.new_name);
  if (!into.ok()) return into.status();
  const std::string new_name = WithoutTrailingSlashes(options.new_name);
  file::v1::MoveFileRequest request;
  request.set_filename(name);
  request.set_new_filename(*into ? Joined(new_name, LastComponent(name)) : new_name);
  request.set_if_absent(options.if_absent);
  const auto moved = Call(*store, &FileService::Stub::MoveFile, request);
  if (!moved.ok()) return moved.status();
  return 0;
}

constexpr char kRmExamples[] =
    R"(Examples:
  rawgate rm notes.txt draft.txt
  rawgate rm -r reports           a folder and all that is in it
  rawgate rm -f notes.txt         nothing is wrong if it is not there)";

constexpr char kMvExamples[] =
    R"(Examples:
  rawgate mv draft.txt notes.txt  replaces notes.txt in one step
  rawgate mv draft.txt old/       into a folder, which is made if need be
  rawgate mv reports 2025/reports a folder; one that is there is never replaced
  rawgate mv draft.txt notes.txt --if-absent)";

void AddRmCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<RemoveOptions>();
  CLI::App* rm = app.add_subcommand("rm", "Remove files and folders");
  rm->group(kFilesGroup)->footer(kRmExamples);
  rm->add_option("NAME", options->names, "Files, and empty folders")->required();
  rm->add_flag("-r,--recursive", options->recursive, "Remove folders with what is in them");
  rm->add_flag("-f,--force", options->force, "Say nothing of what is not there");
  rm->callback([&chosen, options] {
    chosen.run = [options](Context& context) { return Removal(*options, context).Run(); };
  });
}

void AddMvCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<MoveOptions>();
  CLI::App* mv = app.add_subcommand("mv", "Give a file or a folder another name");
  mv->group(kFilesGroup)->footer(kMvExamples);
  mv->add_option("NAME", options->name, "The file or folder")->required();
  mv->add_option("NEW_NAME", options->new_name,
                 "The name it gets, or the folder it goes into: one\n"
                 "that is there, or with '/' at the end")
      ->required();
  mv->add_flag("--if-absent", options->if_absent, "Fail rather than replace a file");
  mv->callback([&chosen, options] {
    chosen.run = [options](Context& context) { return Move(*options, context); };
  });
}

}  // namespace

void AddFileChangeCommands(CLI::App& app, Command& chosen) {
  AddRmCommand(app, chosen);
  AddMvCommand(app, chosen);
}

}  // namespace rawgate::cli
